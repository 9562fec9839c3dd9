"""The facts Rollcall keeps, one module a subject."""

from attendance.models.accounts import ReviewDigest, StudentAccount
from attendance.models.audit import AuditEntry, AuditHead
from attendance.models.biometrics import Consent, ConsentEvent, FaceTemplate, Portrait
from attendance.models.camera import CameraAlert, CameraStatus, PairingCode
from attendance.models.capture import Camera, Candidate, Sighting, Snapshot
from attendance.models.consenting import ConsentLink, ConsentScan, ConsentSettings, ConsentSlip, ConsentText
from attendance.models.contests import Contest
from attendance.models.demo import MadeUpClass
from attendance.models.desk import DeskFact, DeskFactFace
from attendance.models.excuses import Excuse
from attendance.models.figures import KeptFigures
from attendance.models.files import DoomedFile
from attendance.models.learning import DeclinedOffer, PolicyOverride
from attendance.models.mail import MailMessage, ReaderLanguage
from attendance.models.mood import SnapshotMood
from attendance.models.reporting import ReportJob, SavedReport
from attendance.models.retention import CourseRetention, RetentionRun
from attendance.models.review import Review
from attendance.models.rules import AttendanceRules, SchoolLogo, StatusLabel
from attendance.models.school import Course, Room, RosterEntry, School, Student, Term
from attendance.models.second import SecondOpinion, TemplateEmbedding
from attendance.models.second_factor import Authenticator
from attendance.models.sessions import ClassSession, Mark, MarkChange
from attendance.models.signin import SignInArrival, SignInTicket, SignInWindow
from attendance.models.tallies import SessionTally
from attendance.models.timetable import CalendarFeed, Holiday, TimetableChange, TimetableSlot
from attendance.models.tokens import ApiToken
from attendance.models.warnings import CourseWarnings, StudentContact, WarningKind, WarningSent, WarningText

__all__ = [
    "ApiToken",
    "AttendanceRules",
    "AuditEntry",
    "AuditHead",
    "Authenticator",
    "CalendarFeed",
    "Camera",
    "CameraAlert",
    "CameraStatus",
    "Candidate",
    "ClassSession",
    "Consent",
    "ConsentEvent",
    "ConsentLink",
    "ConsentScan",
    "ConsentSettings",
    "ConsentSlip",
    "ConsentText",
    "Contest",
    "Course",
    "CourseRetention",
    "CourseWarnings",
    "DeclinedOffer",
    "DeskFact",
    "DeskFactFace",
    "DoomedFile",
    "Excuse",
    "FaceTemplate",
    "Holiday",
    "KeptFigures",
    "MadeUpClass",
    "MailMessage",
    "Mark",
    "MarkChange",
    "PairingCode",
    "PolicyOverride",
    "Portrait",
    "ReaderLanguage",
    "ReportJob",
    "RetentionRun",
    "Review",
    "ReviewDigest",
    "Room",
    "RosterEntry",
    "SavedReport",
    "School",
    "SchoolLogo",
    "SecondOpinion",
    "SessionTally",
    "Sighting",
    "SignInArrival",
    "SignInTicket",
    "SignInWindow",
    "Snapshot",
    "SnapshotMood",
    "StatusLabel",
    "Student",
    "StudentAccount",
    "StudentContact",
    "TemplateEmbedding",
    "Term",
    "TimetableChange",
    "TimetableSlot",
    "WarningKind",
    "WarningSent",
    "WarningText",
]
