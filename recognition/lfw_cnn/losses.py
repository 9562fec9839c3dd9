"""The margin loss: every person is a direction, and a face must be nearer to its own by a margin."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class CosineMargin(nn.Module):
    """CosFace (Wang et al., arXiv 1801.09414): softmax over scale * (cosine - margin for the own person).

    Mild margin and scale suit a long tail: three people in four have one photo, whose direction nothing else holds.
    """

    def __init__(self, dimensions: int, people: int, *, scale: float, margin: float) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(people, dimensions) / dimensions**0.5)
        self.scale, self.margin = scale, margin

    def forward(self, encodings: Tensor, labels: Tensor) -> Tensor:
        """Mean loss of encodings (B, d), any length, and labels (B,) in 0..people-1."""
        cosines = functional.normalize(encodings.float()) @ functional.normalize(self.directions).T
        own = functional.one_hot(labels, len(self.directions)).to(cosines.dtype)
        return functional.cross_entropy(self.scale * (cosines - self.margin * own), labels)
