"""An RTSP camera on this machine, with GStreamer's RTSP server. Runs under the system's Python, which has ``gi``.

    /usr/bin/python3 rtsp_server.py PORT FOLDER FRAMES_A_SECOND h264|mjpeg [USER:PASSWORD]

Serves the folder's ``000.jpg``, ``001.jpg``, ... in a loop at ``rtsp://127.0.0.1:PORT/classroom``.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

PAY = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 pt=96",
    "mjpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}


def main(port: str, folder: str, rate: str, codec: str, login: str = "") -> None:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

    Gst.init(None)
    server: Any = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory: Any = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(
        f'( multifilesrc location="{Path(folder) / "%03d.jpg"}" loop=true caps="image/jpeg,framerate={rate}/1" '
        "! jpegdec ! videoconvert ! videobalance name=light ! videoconvert ! video/x-raw,format=I420 "
        f"! identity sync=true ! {PAY[codec]} )"
    )

    def flicker(_factory: Any, media: Any) -> None:
        """As no two pictures of a real camera are the same."""
        light = media.get_element().get_by_name("light")

        def change() -> bool:
            light.set_property("brightness", random.uniform(-0.05, 0.05))
            light.set_property("contrast", random.uniform(0.95, 1.05))
            return True

        change()
        GLib.timeout_add(30, change)

    factory.connect("media-configure", flicker)
    factory.set_shared(True)
    if login:
        user, password = login.split(":")
        auth: Any = GstRtspServer.RTSPAuth.new()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        token: Any = GstRtspServer.RTSPToken.new()
        token.set_string("media.factory.role", "user")
        auth.add_digest(user, password, token)
        server.set_auth(auth)
        role = "user, media.factory.access=true, media.factory.construct=true"
        factory.add_role_from_structure(Gst.Structure.new_from_string(role))
    server.get_mount_points().add_factory("/classroom", factory)
    server.attach(None)
    print("serving", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
