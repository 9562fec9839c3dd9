"""Addresses: pages at the root, the API under /api/, health beside them."""

from django.urls import include, path

urlpatterns = [
    path("", include("attendance.health_urls")),
    path("api/", include("attendance.api.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("attendance.web.urls")),
]

handler500 = "attendance.api.problems.server_error"
