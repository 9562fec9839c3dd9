"""Reports made by a worker: asked for, watched, taken, dropped. Each person sees their own."""

from __future__ import annotations

import uuid

from django.core.exceptions import ObjectDoesNotExist
from django.http import FileResponse, Http404
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import report_jobs
from attendance.api.base import ApiView
from attendance.api.renderers import FileRenderer
from attendance.api.serializers.reports import NewReportJobSerializer, ReportJobSerializer
from attendance.models import ReportJob
from attendance.reports import files
from attendance.reports.facts import Days
from attendance.reports.orders import Order


class ReportJobsView(ApiView):
    queryset = ReportJob.objects.none()
    serializer_class = ReportJobSerializer
    filter_backends = ()

    @extend_schema(operation_id="report_jobs_list", responses=ReportJobSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Your reports, newest first; those that expired stay listed for a month."""
        return self.page(report_jobs.jobs_of(self.person), ReportJobSerializer)

    @extend_schema(
        operation_id="report_jobs_create",
        request=NewReportJobSerializer,
        responses={202: ReportJobSerializer},
    )
    def post(self, request: Request) -> Response:
        """Have a worker make a report. Asking again for one that is being made answers the same job."""
        said = self.valid(NewReportJobSerializer)
        order = Order(
            said["what"], said["subject"], said["kind"], Days(said["first_day"], said["last_day"]), said["run"],
            said["rate"],
        )  # fmt: skip
        try:
            job = report_jobs.ask(self.person, order, get_language() or "")
        except ObjectDoesNotExist:
            raise Http404 from None
        body = self.get_serializer(job).data
        return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": body["url"]})


class OneJobView(ApiView):
    serializer_class = ReportJobSerializer

    def job(self, job_id: uuid.UUID) -> ReportJob:
        found = report_jobs.jobs_of(self.person).filter(pk=job_id).first()
        if found is None:
            raise Http404
        return found


class ReportJobView(OneJobView):
    @extend_schema(operation_id="report_jobs_retrieve")
    def get(self, request: Request, job_id: uuid.UUID) -> Response:
        """How far it is."""
        return Response(self.get_serializer(self.job(job_id)).data)

    @extend_schema(operation_id="report_jobs_destroy", responses={204: None})
    def delete(self, request: Request, job_id: uuid.UUID) -> Response:
        """The file goes at once; one that is being made is stopped."""
        report_jobs.drop(self.job(job_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReportJobFileView(OneJobView):
    renderer_classes = [FileRenderer]

    @extend_schema(
        operation_id="report_jobs_file",
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="The file")
        },
    )
    def get(self, request: Request, job_id: uuid.UUID) -> FileResponse:
        """The file, while it is kept and everything in it is still yours to see; 410 afterwards."""
        job = self.job(job_id)
        file = report_jobs.open_file(job, self.person)
        answer = FileResponse(file, content_type=files.TYPES.get(job.kind, files.CSV))
        answer["Content-Disposition"] = content_disposition_header(True, job.file_name) or "attachment"
        return answer
