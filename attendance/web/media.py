"""Photos and crops, served only to those who may see them. The one way to a stored file from a page."""

from __future__ import annotations

import io

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET
from PIL import Image

from attendance import permissions
from attendance.errors import StorageAway
from attendance.models import FaceTemplate

WIDTHS = {"thumb": 240, "view": 1600, "full": 0}
PAPER_ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg"}
MAX_AGE = 300
"""Seconds a browser may show a picture without asking again; short, because consent can be withdrawn."""


@login_required
@require_GET
def photo(request: HttpRequest, snapshot_id: int, size: str) -> HttpResponse:
    snapshot = get_object_or_404(permissions.snapshots_for(request.user), pk=snapshot_id)
    return picture(request, snapshot.image.name, WIDTHS[size])


@login_required
@require_GET
def face_crop(request: HttpRequest, sighting_id: int) -> HttpResponse:
    sighting = get_object_or_404(permissions.sightings_for(request.user), pk=sighting_id)
    return picture(request, sighting.chip.name)


@login_required
@require_GET
def template_crop(request: HttpRequest, template_id: int) -> HttpResponse:
    students = permissions.students_for(request.user)
    template = get_object_or_404(FaceTemplate, pk=template_id, student__in=students)
    return picture(request, template.chip.name)


@login_required
@require_GET
def portrait(request: HttpRequest, portrait_id: int) -> HttpResponse:
    found = get_object_or_404(permissions.portraits_for(request.user), pk=portrait_id)
    return picture(request, found.image.name, 320)


def paper(name: str | None, content_type: str, title: str) -> HttpResponse:
    """A stored letter or scan as a download called ``title``: nothing of it runs or is shown in this site's name.

    404 where it has gone.
    """
    if not name:
        raise Http404
    try:
        with default_storage.open(name) as file:
            response = HttpResponse(file.read(), content_type=content_type)
    except FileNotFoundError as error:
        raise Http404 from error
    title = f"{title}.{PAPER_ENDINGS[content_type]}"
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=title) or "attachment"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def picture(request: HttpRequest, name: str | None, width: int = 0) -> HttpResponse:
    """The file as JPEG, made no wider than ``width`` (0: as it is). 404 where it has expired."""
    if not name:
        raise Http404
    # Stored names are never written twice, so a name and a width are a version.
    etag = f'"{name.rpartition("/")[2].partition(".")[0]}-{width}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        try:
            with default_storage.open(name) as file:
                content = file.read()
        except FileNotFoundError as error:
            raise Http404 from error
        except StorageAway as error:
            return HttpResponse(
                str(error.message), status=error.status, content_type="text/plain; charset=utf-8"
            )
        response = HttpResponse(_narrow(content, width) if width else content, content_type="image/jpeg")
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={MAX_AGE}"
    response["Content-Disposition"] = "inline"
    return response


def _narrow(jpeg: bytes, width: int) -> bytes:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        if image.width <= width:
            return jpeg
        height = max(round(image.height * width / image.width), 1)
        # draft() has the JPEG decoder itself halve the photo as often as possible: most of the work is never done.
        image.draft("RGB", (width, height))
        out = io.BytesIO()
        image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS).save(out, "JPEG", quality=85)
    return out.getvalue()
