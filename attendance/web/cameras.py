"""Cameras: how each does, bringing a new one in by a pairing code, its key."""

from __future__ import annotations

import io
from dataclasses import dataclass

import segno
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from attendance import camera_health, pairing, permissions
from attendance.learned import reading
from attendance.learned.cameras import CameraFaces
from attendance.models import Camera, PairingCode, Room, Snapshot
from attendance.web.answers import administrators_only, page, user_of
from attendance.web.asked import number
from attendance.web.words import CAMERA_ADVICE, in_words
from camera.bundle import NAME, bundle


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    camera: Camera
    health: camera_health.Health
    photo: int | None
    """The last photo it sent, if it is still kept."""
    faces: CameraFaces
    """How good the faces of its last thirty days are."""

    @property
    def advice(self) -> list[str]:
        """What would make its faces better."""
        return [in_words(CAMERA_ADVICE, code) for code in self.faces.advice]

    @property
    def clock(self) -> str:
        """How far its clock is off, to the second."""
        offset = self.camera.status.clock_offset_ms or 0
        return (
            _("right")
            if abs(offset) < 2000
            else _("off by %(seconds)d s") % {"seconds": round(offset / 1000)}
        )


@page
@require_GET
def cameras(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    return render(request, "web/cameras.html", {"rows": rows_of(Camera.objects.all())})


def rows_of(cameras: QuerySet[Camera]) -> list[Row]:
    """Cameras with what is shown of each, working ones first; two queries, however many there are."""
    kept = Snapshot.objects.filter(camera=OuterRef("pk")).exclude(image="").order_by("-taken_at")
    found = camera_health.with_facts(cameras).annotate(last_photo=Subquery(kept.values("pk")[:1]))
    judged = reading.cameras(found.order_by("revoked_at", "room__name", "name", "pk"))
    return [
        Row(camera, camera_health.health(camera), getattr(camera, "last_photo", None), faces)
        for camera, faces in judged
    ]


@page
@require_http_methods(["GET", "POST"])
def pair(request: HttpRequest) -> HttpResponse:
    """Choose the room, or the camera that needs a new key; the answer shows the code, once."""
    user = user_of(request)
    rooms, known = permissions.rooms_to_pair(user), permissions.cameras_to_pair(user).select_related("room")
    if request.method == "GET":
        return render(request, "web/camera_pair.html", {"rooms": rooms, "cameras": known})
    if request.POST.get("camera"):
        made, code = pairing.make_code(
            user, camera=get_object_or_404(known, pk=number(request.POST["camera"]))
        )
    else:
        made, code = pairing.make_code(user, room=_room(request, rooms))
    address = request.build_absolute_uri(reverse("web:phone"))
    context = {
        "made": made,
        "code": code,
        "server": request.build_absolute_uri("/").rstrip("/"),
        "address": address,
        "qr": _qr(f"{address}#code={code}"),
    }
    response = render(request, "web/camera_code.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_GET
def agent_file(request: HttpRequest) -> HttpResponse:
    """The agent as one file, for the computer in the classroom, where nobody is signed in. Holds no secret."""
    response = HttpResponse(bundle(), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{NAME}"'
    return response


@page
@require_GET
def paired(request: HttpRequest, code_id: int) -> HttpResponse:
    """Whether a device has used the code by now; asked for every two seconds."""
    made = get_object_or_404(
        PairingCode.objects.select_related("camera__room", "room"), pk=code_id, made_by=user_of(request)
    )
    return render(request, "web/camera_paired.html", {"made": made})


def _room(request: HttpRequest, rooms: QuerySet[Room]) -> Room:
    """The room that was chosen; an administrator may name a new one. Raises Http404 for somebody else's."""
    name = request.POST.get("new_room", "").strip()[:100]
    if name and permissions.is_administrator(request.user):
        return Room.objects.get_or_create(name=name)[0]
    return get_object_or_404(rooms, pk=number(request.POST.get("room")))


def _qr(text: str) -> SafeString:
    """An inline SVG of our own making: black on white in both themes, since phones read no other."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out,
        kind="svg",
        scale=6,
        border=3,
        light="#fff",
        xmldecl=False,
        svgclass="qr",
        lineclass=None,
        omitsize=True,
    )
    return mark_safe(out.getvalue().decode())  # noqa: S308 (made by segno from an address and a code of ours)
