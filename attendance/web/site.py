"""For administrators: what works, what failed, which cameras may send."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from attendance import cameras, health, intake, mailing, permissions
from attendance.models import Camera, Room, Snapshot
from attendance.reports import site_facts
from attendance.web import site_screen
from attendance.web.answers import administrators_only, page, user_of
from attendance.web.forms import CameraForm


@page
@require_GET
def site(request: HttpRequest) -> HttpResponse:
    administrators_only(request)
    failed = Snapshot.objects.filter(state=Snapshot.State.FAILED).select_related("session__course", "camera")
    context = {
        "parts": health.check(),
        "backlog": health.backlog(),
        "failed": failed.order_by("-received_at")[:100],
        "cameras": site_screen.cameras(),
        "two": site_screen.two_models(),
        "numbers": site_facts.read(site_screen.COURSES_SHOWN),
        "mail": mailing.overview(),
    }
    return render(request, "web/site.html", context)


@page
@require_POST
def send_again(request: HttpRequest, snapshot_id: int) -> HttpResponse:
    administrators_only(request)
    intake.send_again(get_object_or_404(Snapshot, pk=snapshot_id))
    return redirect("web:site")


@page
def new_camera(request: HttpRequest) -> HttpResponse:
    """A key is shown on the answer to this form and never again."""
    administrators_only(request)
    form = CameraForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        room, _created = Room.objects.get_or_create(name=form.cleaned_data["room_name"].strip())
        camera, key = cameras.create(form.cleaned_data["name"], room, user_of(request))
        return _show_key(request, camera, key)
    return render(request, "web/camera_new.html", {"form": form, "rooms": Room.objects.all()})


@page
@require_POST
def rotate_key(request: HttpRequest, camera_id: int) -> HttpResponse:
    administrators_only(request)
    camera = get_object_or_404(permissions.cameras_for(request.user), pk=camera_id)
    return _show_key(request, camera, cameras.rotate(camera))


@page
@require_POST
def revoke_key(request: HttpRequest, camera_id: int) -> HttpResponse:
    administrators_only(request)
    cameras.revoke(get_object_or_404(permissions.cameras_for(request.user), pk=camera_id))
    return redirect("web:site")


def _show_key(request: HttpRequest, camera: Camera, key: str) -> HttpResponse:
    context = {"camera": camera, "key": key, "server": request.build_absolute_uri("/").rstrip("/")}
    response = render(request, "web/camera_key.html", context)
    response["Cache-Control"] = "no-store"
    return response
