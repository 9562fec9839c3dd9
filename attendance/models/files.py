"""Stored files that no row names any more and that have still to be deleted."""

from __future__ import annotations

from django.db import models


class DoomedFile(models.Model):
    """Written in the transaction that takes the file's row, gone once the file is: no crash and no store that is away
    keeps a picture that somebody withdrew.
    """

    name = models.CharField(max_length=200, unique=True)
    since = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name
