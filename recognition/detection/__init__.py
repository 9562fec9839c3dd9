"""Detectors behind one protocol: boxes, five points where the network gives them, a score."""
