"""Lists come in pages; no request makes one longer than the bound."""

from __future__ import annotations

from rest_framework.pagination import PageNumberPagination

MAX_PAGE_SIZE = 200


class BoundedPagination(PageNumberPagination):
    """``?page=2&page_size=50``; a page size over the bound is the bound."""

    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE
