"""The facts Rollcall keeps, one module a subject."""

from attendance.models.biometrics import Consent, ConsentEvent, FaceTemplate, Portrait
from attendance.models.capture import Camera, Candidate, Sighting, Snapshot
from attendance.models.mood import SnapshotMood
from attendance.models.review import Review
from attendance.models.school import Course, Room, RosterEntry, School, Student, Term
from attendance.models.sessions import ClassSession, Mark, MarkChange

__all__ = [
    "Camera",
    "Candidate",
    "ClassSession",
    "Consent",
    "ConsentEvent",
    "Course",
    "FaceTemplate",
    "Mark",
    "MarkChange",
    "Portrait",
    "Review",
    "Room",
    "RosterEntry",
    "School",
    "Sighting",
    "Snapshot",
    "SnapshotMood",
    "Student",
    "Term",
]
