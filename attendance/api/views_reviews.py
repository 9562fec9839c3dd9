"""A person's word about a face."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import permissions, reviews
from attendance.api.base import ApiView
from attendance.api.serializers.capture import NewReviewSerializer, ReviewSerializer
from attendance.models import Review, Student


class SightingReviewsView(ApiView):
    queryset = Review.objects.none()
    serializer_class = ReviewSerializer
    filter_backends = ()

    @extend_schema(operation_id="sighting_reviews_list", responses=ReviewSerializer(many=True))
    def get(self, request: Request, sighting_id: int) -> Response:
        """What people said about a face, latest first, with what was taken back."""
        sighting = self.find(permissions.sightings_for(self.person), sighting_id)
        return self.page(sighting.reviews.select_related("student", "by"), ReviewSerializer)

    @extend_schema(
        operation_id="sighting_reviews_create",
        request=NewReviewSerializer,
        responses={201: ReviewSerializer},
    )
    def post(self, request: Request, sighting_id: int) -> Response:
        """Say who a face is, or is not. The roll is taken again at once."""
        sightings = permissions.sightings_for(self.person).select_related("snapshot__session__course")
        sighting = self.find(sightings, sighting_id)
        self.must_change(sighting.snapshot.session.course)
        wanted = self.valid(NewReviewSerializer)
        review = reviews.decide(sighting, wanted["verdict"], self.person, self.student(wanted["student"]))
        return Response(self.get_serializer(review).data, status=status.HTTP_201_CREATED)

    def student(self, student_id: int | None) -> Student | None:
        if student_id is None:
            return None
        found = permissions.students_for(self.person).filter(pk=student_id).first()
        if found is None:
            raise ValidationError({"student": _("There is no such student.")})
        return found


class ReviewUndoView(ApiView):
    serializer_class = ReviewSerializer

    @extend_schema(operation_id="reviews_undo", request=None)
    def post(self, request: Request, review_id: int) -> Response:
        """Take a word back; that it was said stays on record."""
        queryset = permissions.reviews_for(self.person).select_related(
            "sighting__snapshot__session__course", "student", "by"
        )
        review = self.find(queryset, review_id)
        self.must_change(review.sighting.snapshot.session.course)
        reviews.undo(review, self.person)
        review.refresh_from_db(fields=["undone_at"])
        return Response(self.get_serializer(review).data)
