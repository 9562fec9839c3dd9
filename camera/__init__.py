"""Rollcall's camera agent: from any lens to the roll, and no photo lost.

Runs on a classroom PC or a Raspberry Pi with Python 3.9 or later, OpenCV and ``cryptography``; knows neither Django
nor the server's code, only its API. ``docs/cameras.md`` says how it is set up.
"""

import os

__version__ = "1.0.0"

# OpenCV reads these when it is first imported. Streams over TCP: a lost packet of UDP smears the picture; and without
# a buffer: what waits in one is old. What goes wrong is said by the agent itself.
os.environ.setdefault(
    "OPENCV_FFMPEG_CAPTURE_OPTIONS",
    "rtsp_transport;tcp|fflags;nobuffer|max_delay;500000|analyzeduration;2000000",
)
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
