"""What ``./run`` does: set-up, start, test, lint. Standard library only, so that it can run first."""
