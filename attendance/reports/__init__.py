"""Rolls as tables and files. ``tables`` is pure; every page, export and API answer takes its numbers from it."""
