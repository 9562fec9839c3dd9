"""Addresses of what is kept and how long, and of a person's own data."""

from django.urls import URLPattern, path

from attendance.web import own_data, retention

privacy_patterns: list[URLPattern] = [
    path("site/retention/", retention.site, name="retention"),
    path("site/retention/run/", retention.run_now, name="retention-run"),
    path("courses/<int:course_id>/retention/", retention.course, name="course-retention"),
    path("students/<int:student_id>/data/", own_data.part, name="own-data"),
    path("students/<int:student_id>/data/ask/", own_data.ask, name="own-data-ask"),
    path("students/<int:student_id>/data/<uuid:job_id>/", own_data.take, name="own-data-file"),
    path("students/<int:student_id>/data/<uuid:job_id>/remove/", own_data.remove, name="own-data-remove"),
    path("my/data/", own_data.mine, name="my-data"),
]
