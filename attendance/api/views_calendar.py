"""Timetables, holidays, cancelled sessions and excuses."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance import classes, excusing, permissions, school_days, timetables
from attendance.api.base import ApiView
from attendance.api.serializers.calendar import (
    AppliedSerializer,
    CancelSerializer,
    ExcuseSerializer,
    HolidaySerializer,
    NewExcuseSerializer,
    NewHolidaySerializer,
    NewSlotSerializer,
    SlotSerializer,
    StoredSlotSerializer,
    TimetableRowSerializer,
)
from attendance.api.serializers.sessions import SessionDetailSerializer
from attendance.api.views_sessions import session_detail
from attendance.models import ClassSession, Course, Excuse, Holiday, Room, TimetableChange, TimetableSlot


class SlotView(ApiView):
    """What the operations on lessons of the week share."""

    serializer_class: type[BaseSerializer[Any]] = SlotSerializer

    def values(self) -> dict[str, Any]:
        wanted = self.valid(NewSlotSerializer)
        room_id = wanted.pop("room")
        wanted["room"] = Room.objects.filter(pk=room_id).first() if room_id is not None else None
        if room_id is not None and wanted["room"] is None:
            raise ValidationError({"room": _("There is no such room.")})
        return wanted

    def slot(self, course: Course) -> TimetableSlot:
        return self.find(course.slots.filter(removed_at__isnull=True), self.kwargs["slot_id"])

    def stored(self, change: TimetableChange, applied: timetables.Applied, code: int = 200) -> Response:
        body = {"slot": change.slot, "sessions": applied}
        return Response(StoredSlotSerializer(body).data, status=code)


class TimetableView(SlotView):
    queryset = TimetableSlot.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="course_timetable_list", responses=SlotSerializer(many=True))
    def get(self, request: Request, course_id: int) -> Response:
        """The lessons of the course's week."""
        course = self.find_course()
        return self.page(course.slots.filter(removed_at__isnull=True).select_related("room"), SlotSerializer)

    @extend_schema(
        operation_id="course_timetable_create",
        request=NewSlotSerializer,
        responses={201: StoredSlotSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """Add a lesson of the week and plan its sessions, without those in holidays."""
        course = self.find_course(to_change=True)
        return self.stored(
            *timetables.add_slot(course, self.person, **self.values()), code=status.HTTP_201_CREATED
        )


class TimetablePreviewView(SlotView):
    queryset = TimetableSlot.objects.none()
    filter_backends = ()
    pagination_class = None
    serializer_class = TimetableRowSerializer

    @extend_schema(
        operation_id="course_timetable_preview",
        request=NewSlotSerializer,
        responses=TimetableRowSerializer(many=True),
    )
    def post(self, request: Request, course_id: int) -> Response:
        """What adding a lesson would make, with overlaps in its room. Nothing is stored."""
        course = self.find_course(to_change=True)
        rows = timetables.preview(course, TimetableSlot(course=course, **self.values()))
        return Response(TimetableRowSerializer(rows, many=True).data)


class TimetableSlotView(SlotView):
    @extend_schema(
        operation_id="course_timetable_update", request=NewSlotSerializer, responses=StoredSlotSerializer
    )
    def put(self, request: Request, course_id: int, slot_id: int) -> Response:
        """Change a lesson; planned sessions still to come move, what has begun stays."""
        slot = self.slot(self.find_course(to_change=True))
        return self.stored(*timetables.change_slot(slot, self.person, **self.values()))

    @extend_schema(operation_id="course_timetable_destroy", responses={200: AppliedSerializer})
    def delete(self, request: Request, course_id: int, slot_id: int) -> Response:
        """Remove a lesson and its planned sessions still to come."""
        _change, applied = timetables.remove_slot(self.slot(self.find_course(to_change=True)), self.person)
        return Response(AppliedSerializer(applied).data)


class HolidaysView(ApiView):
    queryset = Holiday.objects.none()
    serializer_class = HolidaySerializer
    filter_backends = ()

    @extend_schema(operation_id="holidays_list", responses=HolidaySerializer(many=True))
    def get(self, request: Request) -> Response:
        """Days without lessons, for the whole school."""
        return self.page(Holiday.objects.all(), HolidaySerializer)

    @extend_schema(
        operation_id="holidays_create", request=NewHolidaySerializer, responses={201: HolidaySerializer}
    )
    def post(self, request: Request) -> Response:
        """Add a holiday; timetables' planned sessions in it go. For administrators."""
        must_administer(self)
        wanted = self.valid(NewHolidaySerializer)
        holiday = school_days.add_holiday(wanted["name"], wanted["first_day"], wanted["last_day"])
        return Response(HolidaySerializer(holiday).data, status=status.HTTP_201_CREATED)


class HolidayView(ApiView):
    serializer_class = HolidaySerializer

    @extend_schema(operation_id="holidays_destroy", responses={204: None})
    def delete(self, request: Request, holiday_id: int) -> Response:
        """Remove a holiday; the timetables' sessions in it come back. For administrators."""
        must_administer(self)
        school_days.remove_holiday(self.find(Holiday.objects.all(), holiday_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionCancelView(ApiView):
    serializer_class = SessionDetailSerializer

    @extend_schema(operation_id="sessions_cancel", request=CancelSerializer)
    def post(self, request: Request, session_id: int) -> Response:
        """Cancel a session: it takes no photos and counts nowhere; its marks are kept."""
        session = self.find_session(to_change=True)
        reason = self.valid(CancelSerializer)["reason"]
        return Response(session_detail(self, classes.cancel(session, self.person, reason)))


class SessionRestoreView(ApiView):
    serializer_class = SessionDetailSerializer

    @extend_schema(operation_id="sessions_restore", request=None)
    def post(self, request: Request, session_id: int) -> Response:
        """The session takes place after all."""
        return Response(session_detail(self, classes.restore(self.find_session(to_change=True))))


class ExcusesView(ApiView):
    queryset = Excuse.objects.none()
    serializer_class = ExcuseSerializer
    filter_backends = ()

    @extend_schema(operation_id="excuses_list", responses=ExcuseSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Excuses of one's students, the latest days first."""
        return self.page(with_all(permissions.excuses_for(self.person)), ExcuseSerializer)


class StudentExcusesView(ApiView):
    serializer_class = ExcuseSerializer

    @extend_schema(
        operation_id="student_excuses_create",
        request=NewExcuseSerializer,
        responses={201: ExcuseSerializer},
    )
    def post(self, request: Request, student_id: int) -> Response:
        """Excuse a student, for days gone by or to come; marks of who was not seen follow once it is approved."""
        student = self.find_student()
        wanted = self.valid(NewExcuseSerializer)
        mine = permissions.courses_for(self.person)
        course = mine.filter(pk=wanted["course"]).first() if wanted["course"] else None
        if wanted["course"] and course is None:
            raise ValidationError({"course": _("There is no such course.")})
        if not permissions.may_enter_excuse(self.person, student, course):
            raise PermissionDenied
        excuse = excusing.enter(
            student, course, self.when(wanted, course), wanted["reason"], self.person, note=wanted["note"],
            approve=permissions.may_decide_excuse(self.person, student, course),
        )  # fmt: skip
        body = ExcuseSerializer(excuse, context=self.get_serializer_context()).data
        return Response(body, status=status.HTTP_201_CREATED)

    def when(self, wanted: dict[str, Any], course: Course | None) -> excusing.When:
        if wanted.get("sessions"):
            if course is None:
                raise ValidationError({"course": _("Name the course of these sessions.")})
            chosen = ClassSession.objects.filter(pk__in=wanted["sessions"], course=course)
            return excusing.When.of_sessions(list(chosen))
        if "first_day" not in wanted:
            raise ValidationError({"first_day": _("Choose the days, or tick sessions.")})
        return excusing.When(wanted["first_day"], wanted.get("last_day", wanted["first_day"]))


class ExcuseDecisionView(ApiView):
    serializer_class = ExcuseSerializer
    decision = ""

    def post(self, request: Request, excuse_id: int) -> Response:
        excuse = self.find(with_all(permissions.excuses_for(self.person)), excuse_id)
        if not permissions.may_decide_excuse(self.person, excuse.student, excuse.course):
            raise PermissionDenied
        acts = {
            "approve": excusing.approve_excuse, "decline": excusing.decline, "withdraw": excusing.withdraw,
        }  # fmt: skip
        decided = acts[self.decision](excuse, self.person)
        return Response(ExcuseSerializer(decided, context=self.get_serializer_context()).data)


class ExcuseApproveView(ExcuseDecisionView):
    decision = "approve"

    @extend_schema(operation_id="excuses_approve", request=None)
    def post(self, request: Request, excuse_id: int) -> Response:
        """It holds from now on."""
        return super().post(request, excuse_id)


class ExcuseDeclineView(ExcuseDecisionView):
    decision = "decline"

    @extend_schema(operation_id="excuses_decline", request=None)
    def post(self, request: Request, excuse_id: int) -> Response:
        """It does not hold."""
        return super().post(request, excuse_id)


class ExcuseWithdrawView(ExcuseDecisionView):
    decision = "withdraw"

    @extend_schema(operation_id="excuses_withdraw", request=None)
    def post(self, request: Request, excuse_id: int) -> Response:
        """Taken back: marks are again what they were without it."""
        return super().post(request, excuse_id)


def must_administer(view: ApiView) -> None:
    """Raises PermissionDenied for everybody but administrators."""
    if not permissions.is_administrator(view.person):
        raise PermissionDenied


def with_all(excuses: QuerySet[Excuse]) -> QuerySet[Excuse]:
    return excuses.select_related("student", "course", "entered_by").prefetch_related("sessions")
