"""Why a demo could not be made, in one sentence."""

from __future__ import annotations


class DemoError(Exception):
    """Base of what ends the demo command; its text is a sentence for the person at the terminal."""


class PhotosUnavailable(DemoError):
    """The photos could not be fetched, or are not the ones that were pinned."""


class FolderRefused(DemoError):
    """A folder of faces does not hold what the demo needs."""


class ServerUnavailable(DemoError):
    """Nothing takes photos at the server's address, or it refused one."""


class NothingLooked(DemoError):
    """Photos arrived, and no worker looked at them."""


class NotLocal(DemoError):
    """Demo logins have a well-known password and are made only for local use."""
