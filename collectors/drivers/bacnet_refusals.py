"""What a device's refusal means for who asked. Pure.

Source: ASHRAE 135-2020, 20.1.7 to 20.1.9, and BACnetAbortReason and BACnetRejectReason of 21.
"""

from bacpypes3.apdu import AbortPDU, AbortReason, ErrorRejectAbortNack, RejectPDU, RejectReason

from energy_center.errors import DeviceAway, DeviceRefused, NotSupported

_TOO_LONG = (AbortReason.bufferOverflow, AbortReason.segmentationNotSupported)
_TOO_MUCH = (RejectReason.bufferOverflow, RejectReason.tooManyArguments)


def aborted(reason: int) -> DeviceAway | NotSupported:
    """An abort; `too_long` says that a smaller request may do."""
    why = str(AbortReason(reason))
    if reason in _TOO_LONG:
        return NotSupported("The answer would be too long for the device", why=why, too_long=True)
    return DeviceAway("The device gave no complete answer", why=why)


def rejected(reason: int) -> NotSupported:
    """A reject; `service` says that the device does without this service."""
    why = str(RejectReason(reason))
    if reason in _TOO_MUCH:
        return NotSupported("The request is too long for the device", why=why, too_long=True)
    return NotSupported("The device lacks this service", why=why, service=True)


def refused(why: str) -> DeviceRefused:
    """An error answer."""
    return DeviceRefused("The device answers with an error", why=why)


def as_ours(refusal: ErrorRejectAbortNack) -> DeviceAway | DeviceRefused | NotSupported:
    """A refusal as the library raises it."""
    reason = getattr(refusal, "apduAbortRejectReason", None)
    if isinstance(refusal, AbortPDU) and reason is not None:
        return aborted(int(reason))
    if isinstance(refusal, AbortPDU):
        return DeviceAway("The device gave no complete answer", why=str(refusal))
    if isinstance(refusal, RejectPDU):
        return rejected(int(reason or 0))
    return refused(str(refusal))
