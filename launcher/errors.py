"""The ways a run ends early."""


class LaunchError(Exception):
    """Something is in the way; the message is the one sentence to tell the person at the keyboard."""


class DiskFull(LaunchError):
    """A disk has no room left."""


class Stopped(BaseException):
    """A person or the system asked to stop (Ctrl-C, SIGTERM, SIGHUP)."""
