"""Addresses of timetable, calendar feeds, holidays, excuses and rules."""

from __future__ import annotations

from django.urls import path, register_converter

from attendance.web import calendars, excuses, holidays, rules, timetable


class DecisionConverter:
    """What can be decided about an excuse."""

    regex = "approve|decline|withdraw|again"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(DecisionConverter, "decision")

calendar_patterns = [
    path("courses/<int:course_id>/timetable/", timetable.timetable, name="course-timetable"),
    path("courses/<int:course_id>/timetable/slots/", timetable.save_slot, name="slot-add"),
    path("courses/<int:course_id>/timetable/slots/<int:slot_id>/", timetable.edit_slot, name="slot-edit"),
    path(
        "courses/<int:course_id>/timetable/slots/<int:slot_id>/save/", timetable.save_slot, name="slot-save"
    ),
    path(
        "courses/<int:course_id>/timetable/slots/<int:slot_id>/remove/",
        timetable.remove_slot,
        name="slot-remove",
    ),
    path(
        "courses/<int:course_id>/timetable/changes/<int:change_id>/undo/",
        timetable.undo,
        name="timetable-undo",
    ),
    path("courses/<int:course_id>/timetable/import/", timetable.import_file, name="timetable-import"),
    path(
        "courses/<int:course_id>/timetable/import/confirm/",
        timetable.confirm_import,
        name="timetable-confirm",
    ),
    path("sessions/<int:session_id>/cancel/", timetable.cancel_session, name="session-cancel"),
    path("sessions/<int:session_id>/restore/", timetable.restore_session, name="session-restore"),
    path("calendar/", calendars.calendars, name="calendars"),
    path("calendar/new/", calendars.make, name="calendar-new"),
    path("calendar/<int:feed_id>/revoke/", calendars.revoke, name="calendar-revoke"),
    path("calendar/<str:token>.ics", calendars.feed, name="calendar-feed"),
    path("excuses/", excuses.excuses, name="excuses"),
    path("excuses/<int:excuse_id>/<decision:decision>/", excuses.decide, name="excuse-decide"),
    path("excuses/<int:excuse_id>/letter/", excuses.attachment, name="excuse-letter"),
    path("students/<int:student_id>/excuses/new/", excuses.new_excuse, name="excuse-new"),
    path("site/holidays/", holidays.holidays, name="holidays"),
    path("site/holidays/add/", holidays.add, name="holiday-add"),
    path("site/holidays/<int:holiday_id>/remove/", holidays.remove, name="holiday-remove"),
    path("site/holidays/import/", holidays.import_file, name="holidays-import"),
    path("site/rules/", rules.school_rules, name="rules"),
    path("site/rules/<int:course_id>/", rules.course_rules, name="rules-course"),
    path("site/rules/<int:course_id>/as-school/", rules.as_school, name="rules-as-school"),
    path("site/rules/words/", rules.set_labels, name="rules-words"),
    path("site/rules/school/", rules.set_school, name="school-set"),
    path("site/rules/logo/remove/", rules.remove_logo, name="logo-remove"),
    path("media/logo/", rules.logo, name="logo"),
]
