"""Measurements anyone can repeat: ``python -m recognition.evaluate --help``."""
