"""Named errors of the services. ``message`` is a sentence a teacher understands; ``status`` is the HTTP answer."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class RollcallError(Exception):
    """Base of everything a service refuses on purpose."""

    code: str = "refused"
    status: int = 400
    message: str | Promise = _("That did not work.")
    retry_after: int | None = None
    """Seconds after which it is worth another try."""

    def __init__(self, message: str | Promise | None = None, *, retry_after: int | None = None) -> None:
        if message is not None:
            self.message = message
        if retry_after is not None:
            self.retry_after = retry_after
        super().__init__(str(self.message))


class ChangesMet(RollcallError):
    code = "changes_met"
    status = 409
    message = _("Somebody changed the same thing at the same moment. Please look again.")


# --- photos ---------------------------------------------------------------------------------------
class PhotoRefused(RollcallError):
    code = "photo_refused"
    status = 422
    message = _("This file is not a photo that can be used.")


class PhotoEmpty(PhotoRefused):
    code = "photo_empty"
    message = _("The file is empty.")


class PhotoTooLarge(PhotoRefused):
    code = "photo_too_large"
    status = 413
    message = _("The photo is too large.")


class PhotoTooSmall(PhotoRefused):
    code = "photo_too_small"
    message = _("The photo is too small: at least 64 pixels on each side are needed.")


class PhotoNotAnImage(PhotoRefused):
    code = "photo_not_an_image"
    status = 415
    message = _("This is not a photo. JPEG, PNG and WebP files can be used.")


class PhotoBroken(PhotoRefused):
    code = "photo_broken"
    message = _("The photo is damaged or was cut off on the way. Please send it again.")


class PhotoTooIntricate(PhotoRefused):
    code = "photo_too_intricate"
    message = _("The photo is stored in too many layers to be read. Save it again as a plain JPEG.")


class PhotoAnimated(PhotoRefused):
    code = "photo_animated"
    message = _("Moving pictures cannot be used; please send a single photo.")


class StorageFull(RollcallError):
    code = "storage_full"
    status = 507
    message = _("The server's disk is full, so the photo was not stored. Please tell the administrator.")


class QueueFull(RollcallError):
    code = "queue_full"
    status = 429
    message = _(
        "So many photos wait to be looked at that no more are taken in just now. Please send it again in a few minutes."
    )


class StorageAway(RollcallError):
    """The store of files does not answer, or not as it should; ``reason`` is for the log and for the doctor."""

    code = "storage_away"
    status = 503
    message = _(
        "The store of photos does not answer just now. Nothing was lost; please try again in a moment."
    )

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.reason = reason


class StorageReadOnly(StorageAway):
    code = "storage_read_only"
    message = _(
        "The server cannot write to its folder of photos. What was accepted is safe; please tell the administrator."
    )


# --- parts that are away ----------------------------------------------------------------------------
class DatabaseAway(RollcallError):
    code = "database_gone"
    status = 503
    message = _("The database does not answer. Please try again in a moment.")


class SealedAway(RollcallError):
    code = "keys_missing"
    status = 503
    message = _(
        "Photos and faces are locked: the server lacks the key they were sealed with. Nothing is lost; please tell the "
        "administrator."
    )


class SealDamaged(RollcallError):
    code = "seal_damaged"
    status = 503
    message = _(
        "A stored photo or face was damaged or changed on the server and cannot be shown. Please tell the "
        "administrator."
    )


# --- sessions -------------------------------------------------------------------------------------
class SessionNotOpen(RollcallError):
    code = "session_not_open"
    status = 409
    message = _("This session does not take photos now.")


class NoSessionNow(RollcallError):
    code = "no_session_now"
    status = 409
    message = _("No session is open in this camera's room now.")


class SessionState(RollcallError):
    code = "session_state"
    status = 409
    message = _("That is not possible in the session's present state.")


class IdempotencyConflict(RollcallError):
    code = "idempotency_conflict"
    status = 422
    message = _("This Idempotency-Key was already used for another photo.")


class BadTime(RollcallError):
    code = "bad_time"
    status = 422
    message = _("The time the photo was taken cannot be read. Use a form like 2026-03-12T09:04:00+01:00.")


# --- cameras --------------------------------------------------------------------------------------
class PairingCodeUnknown(RollcallError):
    code = "pairing_code_unknown"
    status = 404
    message = _("There is no such pairing code. Compare it with the camera page, letter by letter.")


class PairingCodeExpired(RollcallError):
    code = "pairing_code_expired"
    status = 410
    message = _("This pairing code has expired. Make a new one on the camera page.")


class PairingCodeUsed(RollcallError):
    code = "pairing_code_used"
    status = 409
    message = _("This pairing code was used already. Each device needs a code of its own.")


# --- people ---------------------------------------------------------------------------------------
class ConsentMissing(RollcallError):
    code = "consent_missing"
    status = 409
    message = _("Consent is not recorded for this student, so no photo of the face may be kept.")


class ConsentIncomplete(RollcallError):
    code = "consent_incomplete"
    status = 422
    message = _("Say who gave consent, how, and on which text.")


class NotOnRoster(RollcallError):
    code = "not_on_roster"
    status = 422
    message = _("This student is not on the roster of this session.")


class DuplicateStudent(RollcallError):
    code = "duplicate_student"
    status = 409
    message = _("This student is on the roster already.")


class NumberOfAnother(RollcallError):
    code = "number_of_another"
    status = 409
    message = _(
        "This student number belongs to somebody else at the school. Check number and name, or ask the school's "
        "office to add the student."
    )


class UnknownStatus(RollcallError):
    code = "unknown_status"
    status = 422
    message = _("There is no such mark.")


class NothingToUndo(RollcallError):
    code = "nothing_to_undo"
    status = 409
    message = _("There is nothing to undo.")


class AlreadyDecided(RollcallError):
    code = "already_decided"
    status = 409
    message = _("Somebody else decided on this face a moment ago.")


# --- what students say ----------------------------------------------------------------------------
class NothingToContest(RollcallError):
    code = "nothing_to_contest"
    status = 409
    message = _("There is nothing to object to here any more: it has been changed in the meantime.")


class TooLateToContest(RollcallError):
    code = "too_late_to_contest"
    status = 409
    message = _("This lesson is more than 30 days ago. Please talk to your teacher.")


class AlreadyAnswered(RollcallError):
    code = "already_answered"
    status = 409
    message = _("Your teacher has answered this already. Please talk to them.")


class ContestSettled(RollcallError):
    code = "contest_settled"
    status = 409
    message = _("This has been answered a moment ago.")


# --- what is learned ------------------------------------------------------------------------------
class OfferGone(RollcallError):
    code = "offer_gone"
    status = 409
    message = _("This face is not offered any more: its photo has expired, or it adds nothing new.")


class NoAddress(RollcallError):
    code = "no_address"
    status = 409
    message = _("Your account has no e-mail address. Please ask an administrator to add it.")


class SuggestionChanged(RollcallError):
    code = "suggestion_changed"
    status = 409
    message = _("What is suggested has changed since this page was opened. Please look again.")


class PolicyOutOfBounds(RollcallError):
    code = "policy_out_of_bounds"
    status = 422
    message = _("Recognition can only be made a little stricter or more generous than it was measured.")


# --- mood of the class ----------------------------------------------------------------------------
class MoodProhibited(RollcallError):
    code = "mood_prohibited"
    status = 409
    message = _(
        "The mood of a class cannot be switched on here. In the European Union and the EEA the law prohibits "
        "inferring emotions in institutions of education (AI Act, Article 5(1)(f)); elsewhere, set the school's "
        "country first."
    )


class RecognitionProhibited(RollcallError):
    code = "recognition_prohibited"
    status = 409
    message = _(
        "The law where this school stands does not allow face recognition, so no photo is taken in. Take the roll by "
        "hand or with the code on the projector."
    )


class UnknownPlace(RollcallError):
    code = "unknown_place"
    status = 422
    message = _(
        "Choose a country by its code of two letters, and a region and kind of institution from the lists."
    )


class UnknownCountry(UnknownPlace):
    message = _("No country has this code. Codes have two letters: CL is Chile, GB the United Kingdom.")


class NoticeUnread(RollcallError):
    code = "notice_unread"
    status = 409
    message = _("Please read the notice and tick that you have done so.")


class MoodOffForSite(RollcallError):
    code = "mood_off_for_site"
    status = 409
    message = _("Mood is switched off for the whole site.")


class MoodGroupOutOfBounds(RollcallError):
    code = "mood_group_out_of_bounds"
    status = 422
    message = _("Give a number of faces from 5 to 100.")


# --- rosters --------------------------------------------------------------------------------------
class RosterFileRefused(RollcallError):
    code = "roster_file_refused"
    status = 422
    message = _("This file cannot be read as a class list.")


# --- e-mail ---------------------------------------------------------------------------------------
class MailNotSetUp(RollcallError):
    code = "mail_not_set_up"
    status = 409
    message = _("E-mail is not set up on this site, so nothing was sent.")


class MailTooLarge(RollcallError):
    code = "mail_too_large"
    status = 413
    message = _("The attachments are too large for e-mail. Send a link instead.")


class MailGone(RollcallError):
    code = "mail_gone"
    status = 409
    message = _("This message can no longer be sent again.")


# --- the review desk --------------------------------------------------------------------------------
class FacesOfOnePhoto(RollcallError):
    code = "faces_of_one_photo"
    status = 409
    message = _("Two of these faces are in the same photo, so they cannot be one person.")


class NothingToSplit(RollcallError):
    code = "nothing_to_split"
    status = 422
    message = _("Choose some of the faces, but not all, to split them off.")


class NothingToMerge(RollcallError):
    code = "nothing_to_merge"
    status = 422
    message = _("Choose two people to put together.")


class NotElsewhere(RollcallError):
    code = "not_elsewhere"
    status = 422
    message = _("This student is on no other course's roster, or on this one already.")
