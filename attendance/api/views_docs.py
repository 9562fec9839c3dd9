"""The schema, the page that shows it, and the answer for addresses that do not exist."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import IsAuthenticated

from attendance.api.base import ProblemView
from attendance.api.permissions import IsPerson
from attendance.api.problems import plain_problem


class OneSchema(SchemaGenerator):
    """The schema is the same for everybody: a process makes it once in each language."""

    def get_schema(self, request: object = None, public: bool = True) -> Any:
        return _schema(get_language(), self.api_version)


@lru_cache(maxsize=8)
def _schema(language: str | None, version: str | None) -> Any:
    made = SchemaGenerator(api_version=version)  # type: ignore[no-untyped-call]
    return made.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


class SchemaView(ProblemView, SpectacularAPIView):
    """OpenAPI 3, as YAML or (``?format=json``) JSON."""

    generator_class = OneSchema
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
