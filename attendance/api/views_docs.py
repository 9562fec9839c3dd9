"""The schema, the page that shows it, and the answer for addresses that do not exist."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import IsAuthenticated

from attendance.api.base import ProblemView
from attendance.api.permissions import IsPerson
from attendance.api.problems import plain_problem


class SchemaView(ProblemView, SpectacularAPIView):
    """OpenAPI 3, as YAML or (``?format=json``) JSON."""

    permission_classes = [IsAuthenticated, IsPerson]


class DocsView(SpectacularSwaggerSplitView):
    """The schema as a page to read and try; its script and style come from this server alone."""

    permission_classes = [IsAuthenticated, IsPerson]
    url_name = "api:schema"
    template_name = "api/docs.html"


docs = login_required(DocsView.as_view())


@csrf_exempt
def nothing_here(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Also for an address without its last slash: a redirect would lose an upload's body."""
    return plain_problem(
        request, 404, "not_found", _("There is nothing at this address. Addresses end with a slash.")
    )
