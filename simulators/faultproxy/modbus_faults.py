"""What can go wrong with a Modbus TCP request or reply, by name. Pure but for the random numbers given.

A request fault says what the client sees instead of the device's answer; a reply fault changes the answer.
Faults of replies strike every other one, so that good answers lie between bad ones and must be kept.
"""

import random
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from simulators.devices.modbus import Placed
from simulators.devices.registers import Code

HEADER = struct.Struct(">HHHB")
_FLOATS = {Code.F32: ">f", Code.F64: ">d"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it went by; `at` in seconds of the monotonic clock."""

    transaction: int
    unit: int
    function: int
    start: int
    count: int
    at: float

    def exception(self, code: int) -> bytes:
        """The frame of an exception answer (Modbus Application Protocol 1.1b3, 7)."""
        return HEADER.pack(self.transaction, 0, 3, self.unit) + bytes((self.function | 0x80, code))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the client gets: chunks, each after a wait in seconds; `intact`: the whole is a valid answer."""

    chunks: Sequence[tuple[float, bytes]] = ()
    intact: bool = False
    hang_up: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A device's answer, what it covers, and the frame before it."""

    frame: bytes
    asked: Asked
    placed: Sequence[Placed]
    before: bytes
    rng: random.Random


def _now(frame: bytes, *, intact: bool = False) -> Outcome:
    return Outcome(((0.0, frame),), intact)


def untouched(reply: Reply) -> Outcome:
    """The answer as it is."""
    return _now(reply.frame, intact=True)


def _half(reply: Reply) -> Outcome:
    return _now(reply.frame[: len(reply.frame) // 2])


def _half_then_reset(reply: Reply) -> Outcome:
    return Outcome(((0.0, reply.frame[: len(reply.frame) // 2]),), hang_up=True)


def _dribbled(reply: Reply) -> Outcome:
    third = max(len(reply.frame) // 3, 1)
    parts = (reply.frame[:third], reply.frame[third : 2 * third], reply.frame[2 * third :])
    return Outcome(tuple((0.05, part) for part in parts), intact=True)


def _garbage(reply: Reply) -> Outcome:
    return _now(b"\xff\xfe\xfd" + reply.rng.randbytes(24))


def _wrong_transaction(reply: Reply) -> Outcome:
    transaction, *rest = HEADER.unpack_from(reply.frame)
    return _now(HEADER.pack((transaction + 777) & 0xFFFF, *rest) + reply.frame[HEADER.size :])


def _wrong_unit(reply: Reply) -> Outcome:
    *rest, unit = HEADER.unpack_from(reply.frame)
    return _now(HEADER.pack(*rest, unit % 247 + 1) + reply.frame[HEADER.size :])


def _wrong_function(reply: Reply) -> Outcome:
    return _now(reply.frame[:7] + bytes((reply.frame[7] ^ 0x07,)) + reply.frame[8:])


def _short_payload(reply: Reply) -> Outcome:
    transaction, protocol, length, unit = HEADER.unpack_from(reply.frame)
    head = HEADER.pack(transaction, protocol, length - 2, unit)
    return _now(head + reply.frame[7:8] + bytes((reply.frame[8] - 2,)) + reply.frame[9:-2])


def _lying_count(reply: Reply) -> Outcome:
    return _now(reply.frame[:8] + bytes((reply.frame[8] ^ 0x10,)) + reply.frame[9:])


def _too_long(reply: Reply) -> Outcome:
    transaction, protocol, _, unit = HEADER.unpack_from(reply.frame)
    return _now(HEADER.pack(transaction, protocol, 1000, unit) + reply.frame[7:] + bytes(900))


def _duplicated(reply: Reply) -> Outcome:
    return _now(reply.frame + reply.frame, intact=True)


def _after_the_last(reply: Reply) -> Outcome:
    return _now(reply.before + reply.frame, intact=True)


def _floats(number: float) -> Callable[[Reply], Outcome]:
    def changed(reply: Reply) -> Outcome:
        frame = bytearray(reply.frame)
        for placed in reply.placed:
            form = _FLOATS.get(placed.register.code)
            if form is not None:
                limited = number if form == ">d" or abs(number) > 1e300 else max(min(number, 3.4e38), -3.4e38)
                struct.pack_into(form, frame, 9 + 2 * (placed.at - reply.asked.start), limited)
        return _now(bytes(frame), intact=True)

    return changed


def _registers(word: int, *, counters: bool) -> Callable[[Reply], Outcome]:
    def changed(reply: Reply) -> Outcome:
        frame = bytearray(reply.frame)
        for placed in reply.placed:
            is_wanted = placed.register.counter or not counters
            if is_wanted and placed.register.code is not Code.BIT and placed.register.code not in _FLOATS:
                at = 9 + 2 * (placed.at - reply.asked.start)
                frame[at : at + 2 * placed.register.size] = word.to_bytes(2, "big") * placed.register.size
            elif is_wanted and counters:
                at = 9 + 2 * (placed.at - reply.asked.start)
                frame[at : at + 2 * placed.register.size] = bytes(2 * placed.register.size)
        return _now(bytes(frame), intact=True)

    return changed


def _delayed(seconds: float) -> Callable[[Reply], Outcome]:
    return lambda reply: Outcome(((seconds, reply.frame),), intact=True)


REPLY_FAULTS: Mapping[str, Callable[[Reply], Outcome]] = {
    "slow": _delayed(0.4),
    "late": _delayed(1.7),
    "half-frame": _half,
    "half-then-reset": _half_then_reset,
    "dribbled": _dribbled,
    "garbage": _garbage,
    "wrong-transaction": _wrong_transaction,
    "wrong-unit": _wrong_unit,
    "wrong-function": _wrong_function,
    "short-payload": _short_payload,
    "lying-count": _lying_count,
    "too-long": _too_long,
    "duplicated": _duplicated,
    "repeated-before": _after_the_last,
    "nan": _floats(float("nan")),
    "infinity": _floats(float("inf")),
    "overflow": _floats(3.4e38),
    "all-ones": _registers(0xFFFF, counters=False),
    "counter-reset": _registers(0, counters=True),
}
ALWAYS = {"slow", "nan", "infinity", "overflow", "all-ones", "counter-reset", "dribbled", "duplicated"}
_SILENT = Outcome()
_RESET = Outcome(hang_up=True)


def answer_instead(name: str, asked: Asked, seconds: float, number: int, bad: int) -> Outcome | None:
    """What a request is answered with instead of being passed on; None to pass it on.

    `seconds` since the fault began, `number` of the request since then; `bad` is the address that
    `illegal-address` refuses.
    """
    if name in _EXCEPTIONS:
        return _now(asked.exception(_EXCEPTIONS[name]))
    if name == "restart":
        return _restarting(asked, seconds)
    if name == "illegal-address" and asked.start <= bad < asked.start + asked.count:
        return _now(asked.exception(2))
    if name == "reset" and number % 3 == 0:
        return _RESET
    is_mute = name in ("silence", "half-open") or (name == "flapping" and seconds % 4 < 2)
    return _SILENT if is_mute else None


_EXCEPTIONS = {
    "device-busy": 6,
    "exception-storm": 4,
    "illegal-function": 1,
    "illegal-address-everywhere": 2,
    "gateway-no-path": 10,
    "gateway-no-target": 11,
}


def _restarting(asked: Asked, seconds: float) -> Outcome | None:
    """A device that starts: silent for 3 s, then busy for 3 s."""
    if seconds < 3:
        return _SILENT
    return _now(asked.exception(6)) if seconds < 6 else None
