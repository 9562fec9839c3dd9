"""Addresses of consent: a course's overview, slips, answers, links by e-mail, the school's text."""

from __future__ import annotations

from django.urls import path

from attendance.web import consent_links, consent_papers, consent_settings, consents

consent_patterns = [
    path("courses/<int:course_id>/consent/", consents.overview, name="consents"),
    path("courses/<int:course_id>/consent/slips/", consent_papers.slips, name="consent-slips"),
    path("courses/<int:course_id>/consent/slips/make/", consent_papers.make_slips, name="consent-slips-make"),
    path("courses/<int:course_id>/consent/returned/", consents.returned, name="consent-return"),
    path("courses/<int:course_id>/consent/answers/", consents.record, name="consent-answers"),
    path("courses/<int:course_id>/consent/answers/<int:event_id>/undo/", consents.undo, name="consent-undo"),
    path("courses/<int:course_id>/consent/links/", consent_links.ask, name="consent-ask"),
    path("courses/<int:course_id>/consent/links/send/", consent_links.send, name="consent-send"),
    path(
        "courses/<int:course_id>/consent/links/<int:student_id>/address/",
        consent_links.add_address,
        name="consent-address",
    ),
    path("students/consent/<int:event_id>/scan/", consents.scan, name="consent-scan"),
    path("slips/<str:code>/", consent_papers.slip, name="consent-slip"),
    path("consent/<str:token>/", consent_links.link, name="consent-link"),
    path("site/consent/", consent_settings.asking, name="consent-settings"),
]
