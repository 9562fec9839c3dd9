"""Addresses of the pages."""

from django.urls import path, register_converter

from attendance.web import (
    absence_warnings,
    account,
    audit_log,
    cameras,
    code,
    contests,
    course_dashboard,
    courses,
    desk,
    desk_bulk,
    digest,
    figures,
    history,
    learned,
    mail,
    media,
    models_compared,
    mood,
    offers,
    own,
    phone,
    place,
    report_jobs,
    reports,
    roster_import,
    saved_reports,
    second_factor,
    session_dashboard,
    sessions,
    site,
    students,
    today,
)
from attendance.web.calendar_urls import calendar_patterns
from attendance.web.consent_urls import consent_patterns
from attendance.web.privacy_urls import privacy_patterns


class SizeConverter:
    """One of the sizes a photo is served in."""

    regex = "|".join(media.WIDTHS)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class ActionConverter(SizeConverter):
    regex = "open|close"


register_converter(SizeConverter, "size")
register_converter(ActionConverter, "action")

app_name = "web"
urlpatterns = [
    path("", today.today, name="today"),
    path("sign-in/", account.SignIn.as_view(), name="login"),
    path("sign-out/", account.SignOut.as_view(), name="logout"),
    # one's own account
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="password"),
    path("account/tokens/", account.make_token, name="token-make"),
    path("account/tokens/<int:token_id>/end/", account.end_token, name="token-end"),
    path("second-factor/", second_factor.ask, name="second-factor"),
    path("second-factor/set-up/", second_factor.set_up, name="second-factor-setup"),
    path("second-factor/codes/", second_factor.renew_codes, name="second-factor-codes"),
    path("second-factor/off/", second_factor.switch_off, name="second-factor-off"),
    path("site/second-factors/", second_factor.people, name="second-factors"),
    path("site/second-factors/<int:user_id>/off/", second_factor.take_off, name="second-factor-take-off"),
    path("demo/<int:course_id>/remove/", today.remove_demo, name="demo-remove"),
    # courses
    path("courses/", courses.courses, name="courses"),
    path("courses/new/", courses.new_course, name="course-new"),
    path("courses/<int:course_id>/", courses.roster, name="course"),
    path("courses/<int:course_id>/students/", courses.add_student, name="student-add"),
    path(
        "courses/<int:course_id>/students/<int:student_id>/remove/",
        courses.remove_student,
        name="student-remove",
    ),
    path("courses/<int:course_id>/import/", roster_import.roster_import, name="roster-import"),
    path("courses/<int:course_id>/import/confirm/", roster_import.confirm, name="roster-confirm"),
    path("courses/<int:course_id>/sessions/", courses.sessions, name="course-sessions"),
    path("courses/<int:course_id>/sessions/plan/", sessions.plan, name="session-plan"),
    path("courses/<int:course_id>/sessions/now/", sessions.take_roll_now, name="take-now"),
    path("courses/<int:course_id>/cameras/", courses.cameras, name="course-cameras"),
    # students
    path("students/<int:student_id>/", students.student, name="student"),
    path("students/<int:student_id>/consent/", students.record_consent, name="consent-record"),
    path("students/<int:student_id>/consent/withdraw/", students.withdraw_consent, name="consent-withdraw"),
    path("students/<int:student_id>/portraits/", students.portraits, name="portraits"),
    path("students/<int:student_id>/portraits/add/", students.add_portraits, name="portraits-add"),
    path("students/portraits/<int:portrait_id>/remove/", students.remove_portrait, name="portrait-remove"),
    path("students/portraits/<int:portrait_id>/accept/", students.accept_portrait, name="portrait-accept"),
    # sessions
    path("sessions/<int:session_id>/", sessions.session, name="session"),
    path("sessions/<int:session_id>/numbers/", session_dashboard.dashboard, name="session-dashboard"),
    path("sessions/<int:session_id>/live/", sessions.live, name="session-live"),
    path("sessions/<int:session_id>/<action:action>/", sessions.change_state, name="session-state"),
    path("sessions/<int:session_id>/roll.csv", sessions.roll_csv, name="roll-csv"),
    path("sessions/<int:session_id>/photos/", sessions.add_photos, name="photos-add"),
    path(
        "sessions/<int:session_id>/photos/<int:snapshot_id>/again/", sessions.photo_again, name="photo-again"
    ),
    path("sessions/<int:session_id>/marks/", sessions.set_rest, name="marks-rest"),
    path("sessions/<int:session_id>/marks/<int:student_id>/", sessions.set_mark, name="mark-set"),
    path("sessions/<int:session_id>/marks/<int:student_id>/undo/", sessions.undo_mark, name="mark-undo"),
    path(
        "sessions/<int:session_id>/marks/<int:student_id>/history/",
        history.mark_history,
        name="mark-history",
    ),
    path("sessions/<int:session_id>/faces/<int:sighting_id>/", sessions.face, name="face"),
    path("sessions/<int:session_id>/faces/<int:sighting_id>/decide/", sessions.decide, name="face-decide"),
    path("sessions/<int:session_id>/reviews/<int:review_id>/undo/", sessions.undo_review, name="review-undo"),
    # what students object to, and their log-ins
    path("contests/<int:contest_id>/settle/", contests.settle, name="contest-settle"),
    path("contests/<int:contest_id>/reopen/", contests.reopen, name="contest-reopen"),
    path("students/<int:student_id>/log-in/", contests.give_login, name="login-give"),
    path("students/<int:student_id>/log-in/remove/", contests.take_login, name="login-take"),
    # what is learned
    path("site/learned/", learned.site, name="learned"),
    path("courses/<int:course_id>/learned/", learned.course, name="course-learned"),
    path("courses/<int:course_id>/learned/apply/", learned.apply, name="learned-apply"),
    path("courses/<int:course_id>/learned/undo/", learned.undo, name="learned-undo"),
    # figures that are kept
    path("figures/<int:figures_id>/", figures.state, name="figures-state"),
    path("figures/<int:figures_id>/anew/", figures.anew, name="figures-anew"),
    # faces offered as templates
    path("students/<int:student_id>/offers/<int:sighting_id>/accept/", offers.accept, name="offer-accept"),
    path("students/<int:student_id>/offers/<int:sighting_id>/decline/", offers.decline, name="offer-decline"),
    path("students/<int:student_id>/offers/<int:sighting_id>/again/", offers.offer_again, name="offer-again"),
    # students' own
    path("first-sign-in/<uidb64>/<token>/", own.FirstSignIn.as_view(), name="first-sign-in"),
    path("my/", own.mine, name="mine"),
    path("my/lessons/<int:session_id>/", own.lesson, name="my-lesson"),
    path("my/lessons/<int:session_id>/object/", own.contest, name="my-contest"),
    path("my/objections/<int:contest_id>/take-back/", own.take_back, name="my-contest-back"),
    path("my/faces/<int:sighting_id>/", own.own_face, name="my-face"),
    path("sessions/<int:session_id>/code/", code.code, name="code"),
    path("sessions/<int:session_id>/code/live/", code.code_live, name="code-live"),
    path("sessions/<int:session_id>/code/show/", code.show, name="code-show"),
    path("sessions/<int:session_id>/code/stop/", code.stop, name="code-stop"),
    path("sessions/<int:session_id>/code/tickets/", code.tickets, name="code-tickets"),
    path("here/", code.here, name="here"),
    path("here/<str:code>/", code.here_code, name="here-code"),
    # the review desk
    path("review/", desk.desk, name="desk"),
    path("review/settle/", desk.settle, name="desk-settle"),
    path("review/by-email/", digest.settings, name="digest"),
    path("review/skip/", desk.skip, name="desk-skip"),
    path("review/<uuid:batch>/undo/", desk.undo, name="desk-undo"),
    path("review/reports/<int:contest_id>/undo/", desk.undo_report, name="desk-report-undo"),
    path("review/many/", desk_bulk.bulk, name="desk-bulk"),
    path("review/elsewhere/", desk.elsewhere, name="desk-elsewhere"),
    # photos and crops
    path("media/photos/<int:snapshot_id>/<size:size>/", media.photo, name="photo"),
    path("media/faces/<int:sighting_id>/", media.face_crop, name="face-crop"),
    path("media/templates/<int:template_id>/", media.template_crop, name="template-crop"),
    path("media/portraits/<int:portrait_id>/", media.portrait, name="portrait"),
    # administrators
    path("site/", site.site, name="site"),
    path("site/photos/<int:snapshot_id>/again/", site.send_again, name="site-photo-again"),
    path("site/mail/test/", mail.test_mail, name="mail-test"),
    path("site/mail/<int:message_id>/again/", mail.send_again, name="mail-again"),
    path("site/audit/", audit_log.log, name="audit"),
    path("site/audit/audit.csv", audit_log.export, name="audit-export"),
    path("site/mood/", mood.mood, name="mood"),
    path("site/where/", place.place, name="place"),
    path("site/mood/switch/", mood.switch_site, name="mood-site"),
    path("site/mood/group/", mood.set_group, name="mood-group"),
    path("site/mood/courses/<int:course_id>/", mood.switch_course, name="mood-course"),
    path("site/models/", models_compared.models, name="models"),
    path("site/cameras/", cameras.cameras, name="cameras"),
    path("cameras/pair/", cameras.pair, name="camera-pair"),
    path("cameras/pair/<int:code_id>/", cameras.paired, name="camera-paired"),
    path("cameras/rollcall-camera.pyz", cameras.agent_file, name="camera-agent"),
    path("camera/", phone.phone, name="phone"),
    path("camera/manifest.webmanifest", phone.manifest, name="phone-manifest"),
    path("camera/worker.js", phone.worker, name="phone-worker"),
    path("site/cameras/new/", site.new_camera, name="camera-new"),
    path("site/cameras/<int:camera_id>/key/", site.rotate_key, name="camera-rotate"),
    path("site/cameras/<int:camera_id>/revoke/", site.revoke_key, name="camera-revoke"),
    # numbers
    path("courses/<int:course_id>/attendance/", course_dashboard.dashboard, name="course-dashboard"),
    path("courses/<int:course_id>/warnings/", absence_warnings.warnings, name="warnings"),
    path("courses/<int:course_id>/warnings/send/", absence_warnings.send, name="warnings-send"),
    path(
        "courses/<int:course_id>/warnings/automatic/", absence_warnings.automatic, name="warnings-automatic"
    ),
    path(
        "courses/<int:course_id>/students/<int:student_id>/contacts/",
        absence_warnings.add_contact,
        name="contact-add",
    ),
    path(
        "courses/<int:course_id>/contacts/<int:contact_id>/remove/",
        absence_warnings.remove_contact,
        name="contact-remove",
    ),
    path("site/warnings/", absence_warnings.texts, name="warning-texts"),
    path("reports/", reports.reports, name="reports"),
    path("reports/jobs/", report_jobs.jobs, name="report-jobs"),
    path("reports/jobs/ask/", report_jobs.ask, name="report-ask"),
    path("reports/jobs/<uuid:job_id>/file/", report_jobs.job_file, name="report-job-file"),
    path("reports/jobs/<uuid:job_id>/again/", report_jobs.again, name="report-job-again"),
    path("reports/jobs/<uuid:job_id>/remove/", report_jobs.remove, name="report-job-remove"),
    path("reports/saved/new/", saved_reports.save, name="report-save"),
    path("reports/saved/<int:saved_id>/", saved_reports.saved_report, name="saved-report"),
    path("reports/saved/<int:saved_id>/schedule/", saved_reports.schedule, name="saved-schedule"),
    path("reports/saved/<int:saved_id>/stop/", saved_reports.stop, name="saved-stop"),
    path("reports/saved/<int:saved_id>/make/", saved_reports.make_now, name="saved-make"),
    path("reports/saved/<int:saved_id>/remove/", saved_reports.remove, name="saved-remove"),
    path("reports/<slug:what>/<int:pk>/<slug:kind>/", reports.report_file, name="report-file"),
    path("reports/<slug:what>/<slug:kind>/", reports.overview_file, name="overview-file"),
    path("courses/<int:course_id>/canvas/", reports.fill_canvas, name="canvas-fill"),
    *calendar_patterns,
    *privacy_patterns,
    *consent_patterns,
]
