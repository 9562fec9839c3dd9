from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AttendanceConfig(AppConfig):
    name = "attendance"
    verbose_name = _("Attendance")

    def ready(self) -> None:
        # Labels: workers read the school's words before a task. Audit: hears of sign-ins.
        # Worker memory: idle workers forget who withdrew.
        from attendance import audit_trail, labels, worker_memory  # noqa: F401
