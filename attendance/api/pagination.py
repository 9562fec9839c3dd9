"""Lists come in pages; no request makes one longer than the bound."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

MAX_PAGE_SIZE = 200


class BoundedPagination(PageNumberPagination):
    """``?page=2&page_size=50``; a page size over the bound is the bound, and what is no size is said to be none."""

    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE

    def get_page_size(self, request: Request) -> int | None:
        wanted = request.query_params.get(self.page_size_query_param)
        if wanted is None:
            return self.page_size
        if not (wanted.isascii() and wanted.isdecimal() and wanted.strip("0")):
            raise ValidationError({self.page_size_query_param: _("A number is needed.")})
        return MAX_PAGE_SIZE if len(wanted) > 6 else min(int(wanted), MAX_PAGE_SIZE)

    def get_page_number(self, request: Request, paginator: Paginator[Any]) -> int | str:
        wanted = request.query_params.get(self.page_query_param, "1")
        if wanted not in self.last_page_strings and not (wanted.isascii() and wanted.isdecimal()):
            raise NotFound  # as every page that is not there
        return super().get_page_number(request, paginator)
