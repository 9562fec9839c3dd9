"""Rollcall's camera agent: from any lens to the roll, and no photo lost.

Runs on a classroom PC or a Raspberry Pi with Python 3.9 or later, OpenCV and ``cryptography``; knows neither Django
nor the server's code, only its API. ``docs/cameras.md`` says how it is set up.
"""

__version__ = "1.0.0"
