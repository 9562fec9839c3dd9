"""Parts that are away, told from faults of what was sent: a photo waits for a part, and pages say which one is missing.

``named`` gives the sentence, ``PART_IS_AWAY`` lists what a worker does not hold against a photo.
"""

from __future__ import annotations

import errno

from django.db import InterfaceError, OperationalError

from attendance import errors
from attendance.sealing import KeyMissing, SealBroken
from recognition.errors import (
    DlibWeightsError,
    ModelFileDamaged,
    ModelFileMissing,
    PolicyFileDamaged,
    RuntimeMissing,
)

ENGINE_IS_AWAY = (ModelFileMissing, ModelFileDamaged, PolicyFileDamaged, DlibWeightsError, RuntimeMissing)
PART_IS_AWAY = (errors.StorageAway, errors.StorageFull, KeyMissing, *ENGINE_IS_AWAY)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def named(error: BaseException | None) -> errors.RollcallError | None:
    """What an unforeseen error means where it is a part that failed; None for a mistake of the program itself."""
    if isinstance(error, SealBroken):
        return errors.SealedAway() if isinstance(error, KeyMissing) else errors.SealDamaged()
    if isinstance(error, OperationalError) and "disk is full" in str(error):
        return errors.StorageFull()
    if isinstance(error, OperationalError) and "readonly database" in str(error):
        return errors.StorageReadOnly()
    if isinstance(error, OperationalError | InterfaceError):
        return errors.DatabaseAway()
    if isinstance(error, OSError) and error.errno in FULL:
        return errors.StorageFull()
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return errors.StorageReadOnly()
    if isinstance(error, errors.StorageAway | errors.StorageFull):
        return error
    return None
