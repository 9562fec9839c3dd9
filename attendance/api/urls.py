"""Addresses of the API."""

from __future__ import annotations

from django.urls import path, re_path

from attendance.api import views_agents as agents
from attendance.api import views_calendar as calendar
from attendance.api import views_cameras as cameras
from attendance.api import views_contests as contests
from attendance.api import views_courses as courses
from attendance.api import views_docs as docs
from attendance.api import views_learned as learned
from attendance.api import views_models as models
from attendance.api import views_reports as reports
from attendance.api import views_reviews as reviews
from attendance.api import views_sessions as sessions
from attendance.api import views_snapshots as snapshots
from attendance.api import views_students as students

app_name = "api"

SESSION = "sessions/<int:session_id>/"
COURSE = "courses/<int:course_id>/"
STUDENT = "students/<int:student_id>/"
SNAPSHOT = "snapshots/<int:snapshot_id>/"
SIGHTING = "sightings/<int:sighting_id>/"
PORTRAIT = "portraits/<int:portrait_id>/"
CAMERA = "cameras/<int:camera_id>/"
MARK = f"{SESSION}roll/<int:student_id>/"

urlpatterns = [
    path("schema/", docs.SchemaView.as_view(), name="schema"),
    path("docs/", docs.docs, name="docs"),
    path("rooms/", courses.RoomsView.as_view(), name="rooms"),
    path("courses/", courses.CoursesView.as_view(), name="courses"),
    path(COURSE, courses.CourseView.as_view(), name="course"),
    path(f"{COURSE}roster/", courses.RosterView.as_view(), name="roster"),
    path(f"{COURSE}roster/preview/", courses.RosterPreviewView.as_view(), name="roster-preview"),
    path(f"{COURSE}roster/import/", courses.RosterImportView.as_view(), name="roster-import"),
    path(f"{COURSE}roster/<int:student_id>/", courses.RosterEntryView.as_view(), name="roster-entry"),
    path(f"{COURSE}timetable/", calendar.TimetableView.as_view(), name="timetable"),
    path(f"{COURSE}timetable/preview/", calendar.TimetablePreviewView.as_view(), name="timetable-preview"),
    path(f"{COURSE}timetable/<int:slot_id>/", calendar.TimetableSlotView.as_view(), name="timetable-slot"),
    path("holidays/", calendar.HolidaysView.as_view(), name="holidays"),
    path("holidays/<int:holiday_id>/", calendar.HolidayView.as_view(), name="holiday"),
    path(f"{SESSION}cancel/", calendar.SessionCancelView.as_view(), name="session-cancel"),
    path(f"{SESSION}restore/", calendar.SessionRestoreView.as_view(), name="session-restore"),
    path("excuses/", calendar.ExcusesView.as_view(), name="excuses"),
    path("excuses/<int:excuse_id>/approve/", calendar.ExcuseApproveView.as_view(), name="excuse-approve"),
    path("excuses/<int:excuse_id>/decline/", calendar.ExcuseDeclineView.as_view(), name="excuse-decline"),
    path("excuses/<int:excuse_id>/withdraw/", calendar.ExcuseWithdrawView.as_view(), name="excuse-withdraw"),
    path(f"{STUDENT}excuses/", calendar.StudentExcusesView.as_view(), name="student-excuses"),
    path("students/", students.StudentsView.as_view(), name="students"),
    path(STUDENT, students.StudentView.as_view(), name="student"),
    path(f"{STUDENT}consent/", students.ConsentView.as_view(), name="consent"),
    path(f"{STUDENT}portraits/", students.PortraitsView.as_view(), name="portraits"),
    path(PORTRAIT, students.PortraitView.as_view(), name="portrait"),
    path(f"{PORTRAIT}accept/", students.PortraitAcceptView.as_view(), name="portrait-accept"),
    path("sessions/", sessions.SessionsView.as_view(), name="sessions"),
    path(SESSION, sessions.SessionView.as_view(), name="session"),
    path(f"{SESSION}open/", sessions.SessionOpenView.as_view(), name="session-open"),
    path(f"{SESSION}close/", sessions.SessionCloseView.as_view(), name="session-close"),
    path(f"{SESSION}snapshots/", snapshots.SessionSnapshotsView.as_view(), name="session-snapshots"),
    path(f"{SESSION}roll/", sessions.RollView.as_view(), name="roll"),
    path(f"{SESSION}roll/rest/", sessions.RollRestView.as_view(), name="roll-rest"),
    path(MARK, sessions.MarkView.as_view(), name="mark"),
    path(f"{MARK}undo/", sessions.MarkUndoView.as_view(), name="mark-undo"),
    path(SNAPSHOT, snapshots.SnapshotView.as_view(), name="snapshot"),
    path(f"{SNAPSHOT}image/", snapshots.SnapshotImageView.as_view(), name="snapshot-image"),
    path(f"{SNAPSHOT}retry/", snapshots.SnapshotRetryView.as_view(), name="snapshot-retry"),
    path(f"{SNAPSHOT}sightings/", snapshots.SnapshotSightingsView.as_view(), name="snapshot-sightings"),
    path(SIGHTING, snapshots.SightingView.as_view(), name="sighting"),
    path(f"{SIGHTING}chip/", snapshots.SightingChipView.as_view(), name="sighting-chip"),
    path(f"{SIGHTING}reviews/", reviews.SightingReviewsView.as_view(), name="sighting-reviews"),
    path("reviews/<int:review_id>/undo/", reviews.ReviewUndoView.as_view(), name="review-undo"),
    path("desk/", reviews.DeskItemsView.as_view(), name="desk"),
    path("desk/decisions/", reviews.DeskDecisionsView.as_view(), name="desk-decisions"),
    path("desk/undo/", reviews.DeskUndoView.as_view(), name="desk-undo"),
    path("desk/many/", reviews.DeskManyView.as_view(), name="desk-many"),
    path("camera/snapshots/", snapshots.CameraSnapshotsView.as_view(), name="camera-snapshots"),
    path(
        "camera/snapshots/<int:snapshot_id>/",
        snapshots.CameraSnapshotView.as_view(),
        name="camera-snapshot",
    ),
    path("camera/pair/", agents.PairView.as_view(), name="camera-pair"),
    path("camera/schedule/", agents.ScheduleView.as_view(), name="camera-schedule"),
    path("camera/heartbeat/", agents.HeartbeatView.as_view(), name="camera-heartbeat"),
    path("cameras/", cameras.CamerasView.as_view(), name="cameras"),
    path(CAMERA, cameras.CameraView.as_view(), name="camera"),
    path(f"{CAMERA}rotate/", cameras.CameraRotateView.as_view(), name="camera-rotate"),
    path(f"{CAMERA}revoke/", cameras.CameraRevokeView.as_view(), name="camera-revoke"),
    path(f"{MARK}history/", learned.MarkHistoryView.as_view(), name="mark-history"),
    path(f"{STUDENT}offers/", learned.OffersView.as_view(), name="offers"),
    path(
        f"{STUDENT}offers/<int:sighting_id>/accept/", learned.OfferAcceptView.as_view(), name="offer-accept"
    ),
    path(
        f"{STUDENT}offers/<int:sighting_id>/decline/",
        learned.OfferDeclineView.as_view(),
        name="offer-decline",
    ),
    path("learned/", learned.LearnedSiteView.as_view(), name="learned"),
    path(f"{COURSE}learned/", learned.LearnedCourseView.as_view(), name="course-learned"),
    path(f"{COURSE}policy/", learned.PolicyView.as_view(), name="course-policy"),
    path("my/lessons/", contests.OwnLessonsView.as_view(), name="my-lessons"),
    path("my/faces/<int:sighting_id>/", contests.OwnFaceView.as_view(), name="my-face"),
    path("my/contests/", contests.OwnContestsView.as_view(), name="my-contests"),
    path("my/contests/<int:contest_id>/", contests.OwnContestView.as_view(), name="my-contest"),
    path("contests/", contests.ContestsView.as_view(), name="contests"),
    path("contests/<int:contest_id>/settle/", contests.ContestSettleView.as_view(), name="contest-settle"),
    path("contests/<int:contest_id>/reopen/", contests.ContestReopenView.as_view(), name="contest-reopen"),
    path("models/", models.ModelsView.as_view(), name="models"),
    path("report-jobs/", reports.ReportJobsView.as_view(), name="report-jobs"),
    path("report-jobs/<uuid:job_id>/", reports.ReportJobView.as_view(), name="report-job"),
    path("report-jobs/<uuid:job_id>/file/", reports.ReportJobFileView.as_view(), name="report-job-file"),
    re_path(r"^(?P<rest>(?s:.+))\Z", docs.nothing_here, name="nothing-here"),
]
