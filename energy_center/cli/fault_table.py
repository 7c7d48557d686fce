"""The named faults that proxies before the devices make: where each strikes, what it does, what must hold.

A wave strikes many devices at once. What must hold besides the text: of all readings that the proxies let
through whole and in time, none is lost and none is doubled, and the device is read again afterwards.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One row. `at` is a connection, or a piece of equipment for messages; `does` is the proxy's name."""

    name: str
    at: str
    does: str
    happens: str
    must_hold: str
    is_message: bool = False


_MODBUS_LINES = (
    "ltb-hv-room",
    "ym-hv-room",
    "ltb-submeters",
    "ym-submeters",
    "ltb-bms-io",
    "ym-bms-io",
    "ltb-pv",
    "ym-pv",
    "ltb-genset",
    "ym-genset",
)

_Rows = tuple[tuple[str, str, str], ...]

# in waves of ten, one for each line of the demo, in the order of _MODBUS_LINES
_MODBUS: tuple[_Rows, ...] = (
    (
        ("nan", "every float is NaN", "NaN is no reading; the other registers of the reply are stored"),
        ("infinity", "every float is infinite", "infinity is no reading; the rest is stored"),
        ("overflow", "every float is 3.4e38", "stored and flagged, and stops nothing"),
        ("counter-reset", "every counter falls to 0", "stored as read"),
        ("half-frame", "every other reply ends in its middle", "half a frame is never read as a whole one"),
        ("garbage", "noise for every other reply", "dropped with its connection; what follows is read"),
        ("wrong-transaction", "every other reply to another request", "not taken"),
        ("all-ones", "0xFFFF in every register", "stored or flagged, and stops nothing"),
        ("slow", "every reply after 0.4 s", "stored"),
        ("late", "every other reply after 1.7 s", "not taken for the answer to the next request"),
    ),
    (
        ("wrong-unit", "every other reply from another unit", "not taken"),
        ("wrong-function", "every other reply with another function", "not taken"),
        ("short-payload", "every other payload two octets short", "not decoded"),
        ("lying-count", "every other octet count lies", "not believed"),
        ("too-long", "every other frame of 1,000 octets", "ends the connection, not the line"),
        ("duplicated", "every reply twice", "stored once"),
        ("repeated-before", "the reply before comes again, before every other", "not taken"),
        ("dribbled", "every reply in three pieces", "stored"),
        ("half-then-reset", "half a frame, then a reset, for every other", "costs that reply alone"),
        ("reset", "a reset at every third request", "costs that request alone"),
    ),
    (
        ("silence", "no reply", "the line comes back by itself"),
        ("half-open", "the connection only swallows", "made anew"),
        ("illegal-address", "exception 2 for one register", "split out; the rest of its block is read"),
        ("device-busy", "exception 6 for everything", "no answer and no failure; reading goes on"),
        ("exception-storm", "exception 4 for everything", "stops nothing"),
        ("illegal-function", "exception 1 for everything", "the device is read again afterwards"),
        ("gateway-no-target", "exception 11 for everything", "counts as the unit's silence"),
        ("flapping", "there every other two seconds", "read when it is there"),
        ("refused", "the port is closed", "tried again until it is open"),
        ("restart", "port closed, then silent, then busy", "the device is read again"),
    ),
)

_BACNET: tuple[tuple[str, str, str, str], ...] = (
    ("ltb-ahu-01", "silence", "no answer", "the controller comes back by itself"),
    ("ltb-ahu-02", "slow", "every answer after 1 s", "stored"),
    ("ltb-ahu-03", "late", "every other answer after 6 s", "not taken"),
    ("ltb-ahu-04", "flapping", "there every other five seconds", "read when it is there"),
    ("ltb-ahu-05", "restart", "the host refuses the port for 6 s", "tried again"),
    ("ltb-ahu-06", "duplicated", "every answer twice", "stored once"),
    ("ltb-ahu-07", "reject", "reject: service not known, every other request", "objects are read one by one"),
    ("ltb-ahu-08", "reject-other", "reject for another reason, every other", "costs that request alone"),
    ("ltb-chiller-1", "abort", "abort, every other request", "costs that request alone"),
    ("ltb-chiller-2", "abort-too-long", "abort: buffer overflow, every other", "asked for in halves"),
    ("ltb-plant-ddc", "segmentation-not-supported", "abort: no segmentation, every other", "asked for less"),
    ("ltb-oau-1", "error", "error answer, every other request", "stops nothing"),
    ("ltb-vav-ddc-02", "first-segment-only", "segments that never come", "end at the time limit"),
    ("ltb-vav-ddc-04", "wrong-invoke-id", "every other answer with another invoke id", "not taken"),
    ("ltb-oau-2", "nan", "every real is NaN", "no reading; the other objects are stored"),
    ("ltb-fcu-ddc-10", "cut", "every other datagram cut in half", "not decoded"),
    ("ltb-fcu-ddc-12", "garbage", "noise for every other datagram", "stops nothing"),
)

_OTHERS_KEPT = "counted and shown; the topic's good messages are stored"
_RECEIPT = "gives way to the time of receipt; each message is stored once"
_MESSAGES: tuple[tuple[str, str, str, str], ...] = (
    ("ltb-iaq-01", "not-json", "JSON that breaks off", _OTHERS_KEPT),
    ("ltb-iaq-02", "binary", "256 octets of everything", _OTHERS_KEPT),
    ("ltb-iaq-03", "empty", "nothing", _OTHERS_KEPT),
    ("ltb-iaq-04", "deep", "9,000 brackets deep", "malformed, not fatal"),
    ("ltb-iaq-05", "oversized", "19 kB of one letter", "malformed, not fatal"),
    ("ltb-iaq-06", "wrong-type", "a list where a number should be", "malformed, not fatal"),
    ("ltb-iaq-07", "nan", "the number NaN", "no reading"),
    ("ltb-iaq-08", "infinity-text", "the text inf", "no reading"),
    ("ltb-iaq-09", "huge", "1e999", "no reading"),
    ("ltb-iaq-10", "huge-integer", "an integer of 400 digits", "no reading, and not fatal"),
    ("ltb-iaq-11", "largest", "1.7e308", "stored and flagged, and stops nothing"),
    ("ltb-iaq-12", "stuck-clock", "all messages bear one stamp", "one reading"),
    ("ym-iaq-01", "jumping-clock", "stamps off by hours and years", _RECEIPT),
    ("ym-iaq-02", "clock-without-zone", "stamps without a zone", _RECEIPT),
    ("ym-iaq-03", "senseless-clock", "stamps that are none", _RECEIPT),
    ("ym-iaq-04", "values-missing", "a message without most values", "what it holds is stored, no more"),
)

_BROKER: _Rows = (
    ("slow", "packets come in pieces", "stored"),
    ("duplicated", "every message twice", "stored once"),
    ("reset", "a reset at every fourth message", "nothing is lost"),
    ("silence", "the broker says nothing", "what was published meanwhile is stored once"),
    ("half-open", "the connection only swallows", "made anew; what was published is stored once"),
    ("refused", "the port is closed", "what was published meanwhile is stored once"),
    ("half-packet", "half a message, then a reset", "it comes again, and is stored once"),
    ("garbage", "noise in the stream", "ends the connection; nothing is lost"),
    ("acks-lost", "acknowledgements never arrive", "messages come again and are stored once"),
    ("flapping", "there every other two seconds", "nothing is lost"),
)


def _modbus(rows: _Rows) -> tuple[Fault, ...]:
    return tuple(
        Fault(f"modbus-{does}", line, does, happens, holds)
        for line, (does, happens, holds) in zip(_MODBUS_LINES, rows, strict=True)
    )


BROKER_FAULTS = tuple(Fault(f"mqtt-{does}", "broker", does, what, holds) for does, what, holds in _BROKER)
BACNET_FAULTS = tuple(Fault(f"bacnet-{does}", at, does, what, holds) for at, does, what, holds in _BACNET)
MESSAGE_FAULTS = tuple(
    Fault(f"message-{does}", at, does, what, holds, is_message=True) for at, does, what, holds in _MESSAGES
)
DEVICE_WAVES: tuple[tuple[Fault, ...], ...] = (
    (*_modbus(_MODBUS[0]), *BACNET_FAULTS),
    (*_modbus(_MODBUS[1]), *MESSAGE_FAULTS),
    _modbus(_MODBUS[2]),
)
