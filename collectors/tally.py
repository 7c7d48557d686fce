"""What happened with each device and bus since the start: plain counters that one task writes.

A good read costs one call; all else is counted where something went wrong, which is seldom. `supervision`
reads them once a period and takes differences.
"""

import re
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from energy_center.domain.supervision import ErrorCount, ErrorKind, LastError, MalformedSample
from energy_center.errors import BadFrame, DeviceAway, DeviceBusy, EnergyCenterError

SMOOTHING = 0.125  # of a new round trip, as for TCP's (RFC 6298, 2.3)
BOUNDS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
SAMPLES_A_TOPIC = 3
TOPICS_SAMPLED = 50  # one bus; of further topics only the number is kept
EXCERPT_BYTES = 200
_SECRET = re.compile(
    r"""((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|auth\w*|credential\w*)["']?\s*[:=]\s*)"""
    r"""("[^"]*"?|'[^']*'?|[^\s,;}&]+)""",
    re.IGNORECASE,
)


class RoundTrips:
    """How long answers took: a smoothed mean and a histogram."""

    __slots__ = ("buckets", "mean_s")

    def __init__(self) -> None:
        self.mean_s: float | None = None
        self.buckets = [0] * (len(BOUNDS_S) + 1)

    def note(self, took_s: float) -> None:
        """Count one answer."""
        self.mean_s = took_s if self.mean_s is None else self.mean_s + SMOOTHING * (took_s - self.mean_s)
        self.buckets[bisect_left(BOUNDS_S, took_s)] += 1

    def note_all(self, took_s: Sequence[float]) -> None:
        """Count several; the mean takes them as so many answers of their mean."""
        for took in took_s:
            self.buckets[bisect_left(BOUNDS_S, took)] += 1
        mean, weight = sum(took_s) / len(took_s), 1 - (1 - SMOOTHING) ** len(took_s)
        self.mean_s = mean if self.mean_s is None else self.mean_s + weight * (mean - self.mean_s)


def quantile_s(buckets: Sequence[int], share: float) -> float | None:
    """The round trip that this share of answers kept to, linear within a bucket; None without answers.

    What lies beyond the last bound counts as that bound.
    """
    wanted, seen = share * sum(buckets), 0
    if not wanted:
        return None
    for number, count in enumerate(buckets[:-1]):
        if count and seen + count >= wanted:
            low = BOUNDS_S[number - 1] if number else 0.0
            return low + (BOUNDS_S[number] - low) * (wanted - seen) / count
        seen += count
    return BOUNDS_S[-1]


@dataclass(slots=True)
class DeviceTally:
    """One device since its poller's or listener's start; `last_at` in UTC seconds, 0 for never."""

    samples: int = 0
    readings: int = 0
    overruns: int = 0
    last_at: float = 0.0
    trips: RoundTrips = field(default_factory=RoundTrips)
    errors: Counter[tuple[ErrorKind, str]] = field(default_factory=Counter)
    last_error: LastError | None = None

    def answered(self, at: float, readings: int, took_s: float) -> None:
        """Count a block that was read."""
        self.trips.note(took_s)
        self.told(at, readings)

    def answered_all(self, at: float, readings: int, took_s: Sequence[float]) -> None:
        """Count replies of one block, the last at `at`."""
        self.trips.note_all(took_s)
        self.samples += len(took_s)
        self.readings += readings * len(took_s)
        self.last_at = at

    def told(self, at: float, readings: int) -> None:
        """Count what a device sent on its own."""
        self.samples += 1
        self.readings += readings
        self.last_at = at

    def failed(self, kind: ErrorKind, code: str, said: str) -> None:
        """Count something that went wrong."""
        self.errors[kind, code] += 1
        self.says(kind, said)

    def says(self, kind: ErrorKind, said: str) -> None:
        """Keep the newest words about what is wrong."""
        self.last_error = LastError(datetime.now(UTC), kind, said)

    @property
    def counted(self) -> tuple[ErrorCount, ...]:
        """What went wrong, most often first."""
        return tuple(ErrorCount(kind, code, n) for (kind, code), n in self.errors.most_common())


def kind_of(cause: EnergyCenterError, *, is_open: bool) -> tuple[ErrorKind, str]:
    """Which kind of failure it is, and the device's own code; `is_open`: whether the line still stands."""
    code = str(cause.facts.get("code", ""))
    if isinstance(cause, BadFrame):
        return (ErrorKind.WRONG_UNIT if "from_unit" in cause.facts else ErrorKind.BAD_FRAME), code
    if not is_open:
        return ErrorKind.CONNECTION, code
    if isinstance(cause, DeviceAway):
        return ErrorKind.TIMEOUT, code
    return (ErrorKind.BUSY if isinstance(cause, DeviceBusy) else ErrorKind.REFUSED), code


class MalformedLog:
    """Messages of one broker that could not be read: counted, and the newest of each topic kept."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: dict[str, deque[MalformedSample]] = {}

    def note(self, topic: str, device_ids: tuple[str, ...], excerpt: str, why: str) -> None:
        """Count one, and keep its beginning."""
        self.count += 1
        if topic not in self._kept and len(self._kept) >= TOPICS_SAMPLED:
            return
        kept = self._kept.setdefault(topic, deque(maxlen=SAMPLES_A_TOPIC))
        kept.append(MalformedSample(datetime.now(UTC), topic, device_ids, shown(excerpt), why))

    @property
    def samples(self) -> tuple[MalformedSample, ...]:
        """What is kept, newest first."""
        every = (sample for kept in self._kept.values() for sample in kept)
        return tuple(sorted(every, key=lambda s: s.at, reverse=True))


def shown(excerpt: str) -> str:
    """The beginning of a payload as it may be shown: no secrets, no control characters."""
    text = _SECRET.sub(r"\1•••", excerpt)
    text = "".join(c if c.isprintable() else "·" for c in text)
    return text.encode()[:EXCERPT_BYTES].decode(errors="ignore")


@dataclass(slots=True)
class UrgentWaits:
    """How long urgent requests waited for the one in flight."""

    count: int = 0
    total_s: float = 0.0

    def since(self, asked_at: float) -> None:
        """Count one that begins now; `asked_at` on the monotonic clock."""
        self.count += 1
        self.total_s += time.monotonic() - asked_at
