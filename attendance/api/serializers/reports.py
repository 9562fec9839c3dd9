"""Reports made by a worker."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from attendance.api.serializers.fields import address
from attendance.models import ReportJob
from attendance.models.reporting import What
from attendance.reports import orders

KINDS = sorted({kind for kinds in orders.KINDS.values() for kind in kinds})


class ReportJobSerializer(serializers.ModelSerializer[ReportJob]):
    """``done`` of ``total`` students are written; ``total`` is 0 while that is not known."""

    url = serializers.SerializerMethodField()
    file_url = serializers.SerializerMethodField()

    class Meta:
        model = ReportJob
        fields = [
            "id", "url", "what", "subject_id", "kind", "first_day", "last_day", "state", "done", "total", "error",
            "created_at", "finished_at", "expires_at", "file_name", "size", "file_url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_url(self, job: ReportJob) -> str:
        return address(self, "report-job", job.pk)

    def get_file_url(self, job: ReportJob) -> str | None:
        return address(self, "report-job-file", job.pk) if job.state == ReportJob.State.DONE else None


class NewReportJobSerializer(serializers.Serializer[Any]):
    what = serializers.ChoiceField(choices=What.choices)
    subject = serializers.IntegerField(
        min_value=0,
        max_value=2**62,
        default=0,
        help_text="Id of the course, session or student; 0 for the others.",
    )
    kind = serializers.ChoiceField(choices=KINDS, help_text="Format of the file.")
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    run = serializers.IntegerField(min_value=1, max_value=99, required=False, allow_null=True, default=None)
    rate = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["last_day"] < attrs["first_day"]:
            raise serializers.ValidationError({"last_day": "The last day lies before the first."})
        return attrs
