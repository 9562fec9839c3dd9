"""The facts Rollcall keeps, one module a subject."""

from attendance.models.accounts import ReviewDigest, StudentAccount
from attendance.models.biometrics import Consent, ConsentEvent, FaceTemplate, Portrait
from attendance.models.capture import Camera, Candidate, Sighting, Snapshot
from attendance.models.mail import MailMessage, ReaderLanguage
from attendance.models.contests import Contest
from attendance.models.learning import DeclinedOffer, PolicyOverride
from attendance.models.mood import SnapshotMood
from attendance.models.reporting import ReportJob, SavedReport
from attendance.models.review import Review
from attendance.models.school import Course, Room, RosterEntry, School, Student, Term
from attendance.models.sessions import ClassSession, Mark, MarkChange
from attendance.models.signin import SignInArrival, SignInTicket, SignInWindow
from attendance.models.warnings import CourseWarnings, StudentContact, WarningKind, WarningSent, WarningText

__all__ = [
    "Camera",
    "Candidate",
    "ClassSession",
    "Consent",
    "ConsentEvent",
    "Contest",
    "Course",
    "DeclinedOffer",
    "CourseWarnings",
    "FaceTemplate",
    "MailMessage",
    "Mark",
    "MarkChange",
    "PolicyOverride",
    "Portrait",
    "ReaderLanguage",
    "ReportJob",
    "Review",
    "ReviewDigest",
    "Room",
    "RosterEntry",
    "SavedReport",
    "School",
    "Sighting",
    "SignInArrival",
    "SignInTicket",
    "SignInWindow",
    "Snapshot",
    "SnapshotMood",
    "Student",
    "StudentAccount",
    "StudentContact",
    "Term",
    "WarningKind",
    "WarningSent",
    "WarningText",
]
