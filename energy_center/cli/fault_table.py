"""The named faults that proxies before the devices make: where each strikes, and what must hold.

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

# in waves of ten, one for each line of the demo, in the order of _MODBUS_LINES
_MODBUS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("nan", "NaN is no reading; the other registers of the reply are stored"),
        ("infinity", "infinity is no reading; the rest is stored"),
        ("overflow", "3.4e38 is stored and flagged, and stops nothing"),
        ("counter-reset", "counters that fell to 0 are stored as read"),
        ("half-frame", "half a frame is never read as a whole one"),
        ("garbage", "noise is dropped with its connection; what follows is read"),
        ("wrong-transaction", "an answer to another request is not taken"),
        ("all-ones", "0xFFFF in every register is stored or flagged, and stops nothing"),
        ("slow", "answers after 0.4 s are stored"),
        ("late", "answers after 1.7 s are not taken for those of the next request"),
    ),
    (
        ("wrong-unit", "an answer of another unit is not taken"),
        ("wrong-function", "an answer with another function is not taken"),
        ("short-payload", "a payload two octets short is not decoded"),
        ("lying-count", "an octet count that lies is not believed"),
        ("too-long", "a frame longer than Modbus allows ends the connection, not the line"),
        ("duplicated", "an answer sent twice is stored once"),
        ("repeated-before", "the answer before, sent again first, is not taken"),
        ("dribbled", "an answer in three pieces is stored"),
        ("half-then-reset", "half a frame and a reset cost that reply alone"),
        ("reset", "a reset at every third request costs that request alone"),
    ),
    (
        ("silence", "a silent line comes back by itself"),
        ("half-open", "a connection that only swallows is made anew"),
        ("illegal-address", "the refused register is split out; the rest of its block is read"),
        ("device-busy", "exception 6 is no answer and no failure; reading goes on"),
        ("exception-storm", "exception 4 to everything stops nothing"),
        ("illegal-function", "a device that refuses everything for a while is read again"),
        ("gateway-no-target", "exception 11 counts as the unit's silence"),
        ("flapping", "a line that is there every other two seconds is read when it is there"),
        ("refused", "a closed port is tried again until it is open"),
        ("restart", "a device that restarts (refused, silent, busy) is read again"),
    ),
)

_BACNET: tuple[tuple[str, str, str], ...] = (
    ("ltb-ahu-01", "silence", "a silent controller comes back by itself"),
    ("ltb-ahu-02", "slow", "answers after 1 s are stored"),
    ("ltb-ahu-03", "late", "answers after 6 s are not taken"),
    ("ltb-ahu-04", "flapping", "a controller that comes and goes is read when it is there"),
    ("ltb-ahu-05", "restart", "a port that the host refuses is tried again"),
    ("ltb-ahu-06", "duplicated", "an answer sent twice is stored once"),
    ("ltb-ahu-07", "reject", "a controller without ReadPropertyMultiple is read one by one"),
    ("ltb-ahu-08", "reject-other", "a reject for another reason costs that request alone"),
    ("ltb-chiller-1", "abort", "an abort costs that request alone"),
    ("ltb-chiller-2", "abort-too-long", "an answer that is too long is asked for in halves"),
    ("ltb-plant-ddc", "segmentation-not-supported", "a device without segmentation is asked for less"),
    ("ltb-oau-1", "error", "an error answer stops nothing"),
    ("ltb-vav-ddc-02", "first-segment-only", "segments that never come end at the time limit"),
    ("ltb-vav-ddc-04", "wrong-invoke-id", "an answer with another invoke id is not taken"),
    ("ltb-oau-2", "nan", "NaN is no reading; the other objects are stored"),
    ("ltb-fcu-ddc-10", "cut", "a datagram cut in half is not decoded"),
    ("ltb-fcu-ddc-12", "garbage", "noise in datagrams stops nothing"),
)

_MESSAGES: tuple[tuple[str, str, str], ...] = (
    ("ltb-iaq-01", "not-json", "counted and shown; the topic's good messages are stored"),
    ("ltb-iaq-02", "binary", "counted and shown; the topic's good messages are stored"),
    ("ltb-iaq-03", "empty", "counted and shown; the topic's good messages are stored"),
    ("ltb-iaq-04", "deep", "9,000 brackets deep is malformed, not fatal"),
    ("ltb-iaq-05", "oversized", "19 kB of nothing is malformed, not fatal"),
    ("ltb-iaq-06", "wrong-type", "a list where a number should be is malformed, not fatal"),
    ("ltb-iaq-07", "nan", "NaN is no reading"),
    ("ltb-iaq-08", "infinity-text", "the text inf is no reading"),
    ("ltb-iaq-09", "huge", "1e999 is no reading"),
    ("ltb-iaq-10", "huge-integer", "an integer of 400 digits is no reading and not fatal"),
    ("ltb-iaq-11", "largest", "1.7e308 is stored and flagged, and stops nothing"),
    ("ltb-iaq-12", "stuck-clock", "what a stuck clock stamps the same is one reading"),
    ("ym-iaq-01", "jumping-clock", "stamps off by hours and years give way to the time of receipt"),
    ("ym-iaq-02", "clock-without-zone", "a stamp without zone gives way to the time of receipt"),
    ("ym-iaq-03", "senseless-clock", "a stamp that is none gives way to the time of receipt"),
    ("ym-iaq-04", "values-missing", "what a message holds is stored, what it lacks is not"),
)

_BROKER: tuple[tuple[str, str], ...] = (
    ("slow", "packets in pieces are stored"),
    ("duplicated", "a message delivered twice is stored once"),
    ("reset", "a connection reset at every fourth message loses nothing"),
    ("silence", "what was published during a silence is stored once"),
    ("half-open", "a connection that only swallows is made anew; the broker keeps what was published"),
    ("refused", "what was published while the port was closed is stored once"),
    ("half-packet", "half a message and a reset: it comes again, and once"),
    ("garbage", "noise in the stream ends the connection; nothing is lost"),
    ("acks-lost", "acknowledgements that never arrive: messages come again and are stored once"),
    ("flapping", "a connection that is there every other two seconds loses nothing"),
)


def _modbus(rows: tuple[tuple[str, str], ...]) -> tuple[Fault, ...]:
    return tuple(
        Fault(f"modbus-{does}", line, does, holds)
        for line, (does, holds) in zip(_MODBUS_LINES, rows, strict=True)
    )


BROKER_FAULTS = tuple(Fault(f"mqtt-{does}", "broker", does, holds) for does, holds in _BROKER)
BACNET_FAULTS = tuple(Fault(f"bacnet-{does}", at, does, holds) for at, does, holds in _BACNET)
MESSAGE_FAULTS = tuple(
    Fault(f"message-{does}", at, does, holds, is_message=True) for at, does, holds in _MESSAGES
)
DEVICE_WAVES: tuple[tuple[Fault, ...], ...] = (
    (*_modbus(_MODBUS[0]), *BACNET_FAULTS),
    (*_modbus(_MODBUS[1]), *MESSAGE_FAULTS),
    _modbus(_MODBUS[2]),
)
