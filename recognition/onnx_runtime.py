"""The encoder in ONNX Runtime: the same weights, read from dlib's file and written as a graph in memory.

Optional: measurably faster than torch on a plain CPU, most for one face alone (docs/accuracy-detection.md). Needs the
packages ``onnx`` and ``onnxruntime``; encodings differ from torch's by rounding alone, so the version is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recognition.dlib_weights import (
    ENCODER_BLOCKS,
    Convolution,
    EncoderWeights,
    read_encoder,
    with_normalisation,
)
from recognition.errors import RuntimeMissing
from recognition.types import CHIP_SIZE, ENCODING_LENGTH, Chips, Encodings, checked_chips

if TYPE_CHECKING:
    from onnx import ModelProto

BATCH = 32
_OPSET, _FORMAT = 18, 9


def _imported() -> tuple[Any, Any]:
    try:
        return import_module("onnx"), import_module("onnxruntime")
    except ImportError as error:
        raise RuntimeMissing(
            f"the runtime 'onnx' needs a package that is not installed ({error.name}): pip install onnx onnxruntime"
        ) from error


class _Graph:
    """Nodes and constants of an ONNX graph as they are added, each under a name of its own."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def convolution(self, x: str, source: Convolution) -> str:
        spec = source.spec
        parts = (self.constant(source.weight), self.constant(source.bias))
        sides = {"strides": [spec.stride] * 2, "pads": [spec.padding] * 4, "kernel_shape": [spec.size] * 2}
        return self.add("Conv", x, *parts, **sides)

    def extended(self, x: str, channels: int, pixels: int) -> str:
        """x with zeros behind its channels, rows and columns; x itself where none are missing."""
        if channels <= 0 and pixels <= 0:
            return x
        ends = [0, 0, 0, 0, 0, max(0, channels), max(0, pixels), max(0, pixels)]
        return self.add("Pad", x, self.constant(np.array(ends, np.int64)))


def _side(side: int, convolution: Convolution) -> int:
    """Rows (and columns) that a convolution makes of so many."""
    spec = convolution.spec
    return (side + 2 * spec.padding - spec.size) // spec.stride + 1


def model(weights: EncoderWeights) -> ModelProto:
    """The encoder as an ONNX model: "chips" (n, 3, 150, 150) float32 RGB 0..255 -> "encodings" (n, 128).

    Raises RuntimeMissing where ``onnx`` or ``onnxruntime`` is not installed.
    """
    onnx, _ = _imported()
    graph, helper = _Graph(onnx), onnx.helper
    stem, *rest = weights.convolutions
    x = graph.add("Relu", graph.convolution("chips", with_normalisation(stem, weights.averages)))
    x = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    side = (_side(CHIP_SIZE, stem) - 3) // 2 + 1
    for first, second, (inputs, outputs, down) in zip(rest[::2], rest[1::2], ENCODER_BLOCKS, strict=True):
        y = graph.convolution(graph.add("Relu", graph.convolution(x, first)), second)
        if down:
            # dlib's add layer extends the smaller of the two with zeros.
            made, halved = _side(_side(side, first), second), side // 2
            x = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            x = graph.extended(x, outputs - inputs, made - halved)
            y, side = graph.extended(y, 0, halved - made), max(made, halved)
        x = graph.add("Relu", graph.add("Add", y, x))
    x = graph.add("ReduceMean", x, graph.constant(np.array([2, 3], np.int64)), keepdims=0)
    projection = graph.constant(weights.projection.T.astype(np.float32))
    graph.nodes.append(helper.make_node("MatMul", [x, projection], ["encodings"]))
    shapes = (("chips", ["n", 3, CHIP_SIZE, CHIP_SIZE]), ("encodings", ["n", ENCODING_LENGTH]))
    given, made_of = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, s) for name, s in shapes)
    whole = helper.make_graph(graph.nodes, "encoder", [given], [made_of], graph.constants)
    built: ModelProto = helper.make_model(whole, opset_imports=[helper.make_opsetid("", _OPSET)])
    built.ir_version = _FORMAT
    return built


class OnnxEncoder:
    """``TorchEncoder`` in ONNX Runtime, on the CPU."""

    version = "dlibresnet1"

    def __init__(self, weights: EncoderWeights | None = None, *, threads: int = 0) -> None:
        """``threads``: at most so many; 0 leaves it to torch's number. Raises RuntimeMissing."""
        _, onnxruntime = _imported()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or _torch_threads()
        # As with OMP_WAIT_POLICY: threads that wait by spinning slow everybody else on a shared machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = model(weights or read_encoder()).SerializeToString()
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def encode(self, chips: Chips) -> Encodings:
        """(n, 128) float32, in batches. Raises ImageError for chips of another shape or dtype."""
        chips = checked_chips(chips)
        rows = np.empty((len(chips), ENCODING_LENGTH), np.float32)
        for start in range(0, len(chips), BATCH):
            batch = chips[start : start + BATCH].transpose(0, 3, 1, 2).astype(np.float32, order="C")
            answer: Sequence[Any] = self._session.run(None, {"chips": batch})
            rows[start : start + BATCH] = answer[0]
        return rows


def _torch_threads() -> int:
    """What ``recognition.threads.limit`` set."""
    import torch

    return torch.get_num_threads()


@cache
def shared_encoder() -> OnnxEncoder:
    """The process's one encoder."""
    return OnnxEncoder()
