"""People's words about faces, and the desk that asks for them."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from attendance import permissions, reviews
from attendance.api.base import ApiView
from attendance.api.serializers.capture import NewReviewSerializer, ReviewSerializer
from attendance.api.serializers.desk import (
    BatchSerializer,
    ConfirmedSerializer,
    ConfirmSerializer,
    DecisionSerializer,
    DeskOutcomeSerializer,
    DeskSerializer,
    OfferSerializer,
)
from attendance.desk import acts, bulk, queue
from attendance.desk import undo as desk_undo
from attendance.desk.items import Kind
from attendance.desk.shown import shown_at
from attendance.models import ClassSession, Review, Student

MOST_ITEMS = 200
COURSE = OpenApiParameter("course", OpenApiTypes.INT, description="Of this course alone.")
SESSION = OpenApiParameter("session", OpenApiTypes.INT, description="Of this session alone.")
ROOM = OpenApiParameter("room", OpenApiTypes.INT, description="Of sessions in this room alone.")
KIND = OpenApiParameter("kind", OpenApiTypes.STR, enum=[str(kind) for kind in Kind])
AT = OpenApiParameter(
    "at", OpenApiTypes.FLOAT, description="Smallest chance offered, 0.5 to 1; 0.95 unless said."
)


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


class DeskView(ApiView):
    """What the desk asks about, narrowed by the query."""

    filter_backends = ()
    serializer_class: type[Serializer[Any]] = DeskSerializer

    def items(self) -> list[queue.DeskItem]:
        sessions = permissions.sessions_for(self.person)
        for name, field in (("course", "course_id"), ("session", "pk"), ("room", "room_id")):
            if name in self.request.query_params:
                sessions = sessions.filter(**{field: self.number(name)})
        kind = self.request.query_params.get("kind", "")
        if kind and kind not in set(Kind):
            raise ValidationError({"kind": _("There is no such kind.")})
        return queue.items_for(sessions, kind)

    def number(self, name: str) -> int:
        value = self.request.query_params[name]
        if not (value.isascii() and value.isdecimal() and len(value) < 19):
            raise ValidationError({name: _("A number is needed.")})
        return int(value)

    def changeable(self, session_id: int) -> ClassSession:
        session = permissions.sessions_for(self.person).filter(pk=session_id).first()
        if session is None:
            raise ValidationError({"session": _("There is no such session.")})
        self.must_change(session.course)
        return session


class DeskItemsView(DeskView):
    @extend_schema(
        operation_id="desk_items", parameters=[COURSE, SESSION, ROOM, KIND], responses=DeskSerializer
    )
    def get(self, request: Request) -> Response:
        """Faces and students that are worth a person's time, most valuable first."""
        items = self.items()
        left = queue.left(items)
        body = {
            "items_left": left.items,
            "marks": left.marks,
            "seconds": left.seconds,
            "items": items[:MOST_ITEMS],
        }
        return Response(DeskSerializer(body).data)


class DeskDecisionsView(DeskView):
    serializer_class = DecisionSerializer

    @extend_schema(operation_id="desk_decide", responses={201: DeskOutcomeSerializer})
    def post(self, request: Request) -> Response:
        """Say who somebody is, who is really absent, who belongs together. All faces named are settled, or none."""
        wanted = self.valid(DecisionSerializer)
        session = self.changeable(wanted["session"])
        outcome = acts.decide(
            session,
            wanted["act"],
            self.person,
            faces=wanted["faces"],
            student=self.student(wanted["student"], wanted["act"]),
            off=wanted["off"],
            shown=shown_at(session, wanted["item"].partition("-")[2]),
        )
        return Response(DeskOutcomeSerializer(outcome).data, status=status.HTTP_201_CREATED)

    def student(self, student_id: int | None, act: str) -> Student | None:
        if act in acts.ELSEWHERE and not permissions.is_administrator(self.person):
            raise PermissionDenied
        if student_id is None:
            return None
        found = permissions.students_for(self.person).filter(pk=student_id).first()
        if found is None:
            raise ValidationError({"student": _("There is no such student.")})
        return found


class DeskUndoView(DeskView):
    serializer_class = BatchSerializer

    @extend_schema(operation_id="desk_undo", responses={204: None})
    def post(self, request: Request) -> Response:
        """Take back everything one decision said and did, as far as nobody said something else since."""
        batch = self.valid(BatchSerializer)["batch"]
        press = desk_undo.press_of(batch)
        own = list(permissions.sessions_for(self.person).filter(pk__in=press.sessions if press else ()))
        if press is None or len(own) != len(press.sessions):
            raise Http404
        for session in own:
            self.must_change(session.course)
        desk_undo.undo(batch, self.person)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeskManyView(DeskView):
    serializer_class = ConfirmSerializer
    pagination_class = None

    @extend_schema(
        operation_id="desk_offers",
        parameters=[COURSE, SESSION, ROOM, AT],
        responses=OfferSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """What may be confirmed at once: look at each, and send back those that are right."""
        return Response(OfferSerializer(self.offers(), many=True).data)

    @extend_schema(
        operation_id="desk_confirm",
        parameters=[COURSE, SESSION, ROOM, AT],
        responses={201: ConfirmedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Confirm offers together; one undo takes them back. What has changed since is left alone."""
        wanted = [
            bulk.Wanted(each["desk_item"]["key"], each["student_id"], frozenset(each["sighting_ids"]))
            for each in self.valid(ConfirmSerializer)["offers"]
        ]
        done = bulk.confirm(wanted, self.offers(), self.person)
        body = {
            "batch": done.batch if done.faces else None,
            "faces": done.faces,
            "marks": done.marks,
            "left_alone": done.overtaken,
        }
        return Response(ConfirmedSerializer(body).data, status=status.HTTP_201_CREATED)

    def offers(self) -> list[bulk.Offer]:
        """Of courses this person may change."""
        try:
            at = float(self.request.query_params.get("at", "0.95"))
        except ValueError as error:
            raise ValidationError({"at": _("A number is needed.")}) from error
        items = self.items()
        may = {each.session.course_id: each.session.course for each in items}
        mine = {pk for pk, course in may.items() if permissions.may_change_course(self.person, course)}
        return bulk.offers([each for each in items if each.session.course_id in mine], at)
