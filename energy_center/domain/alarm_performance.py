"""Performance of the alarm system itself: how much it asks of people, against published targets.

Sources: EEMUA 191 (2013), table 7 and 4.4; ANSI/ISA-18.2-2016, clause 16.5. One operator position is assumed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from energy_center.domain.alarm_priority import WITHIN
from energy_center.domain.alarms import Priority

WINDOW = timedelta(minutes=10)
FLOOD_BEGINS = 10  # more than so many in 10 min
FLOOD_ENDS = 5  # fewer than so many in 10 min
# Raised and gone again without anybody having had time to do something.
FLEETING = timedelta(minutes=10)
CHATTER_RAISES = 3
CHATTER_WINDOW = timedelta(hours=1)
BAD_ACTORS = 10

# Targets. Rates: "likely to be acceptable"; shares: the distribution over four priorities.
MOST_PER_HOUR = 6.0
MOST_PER_DAY = 144.0
MOST_IN_WINDOW = 10
MOST_FLOOD_SHARE = 0.01
MOST_TOP_TEN_SHARE = 0.05
MOST_STANDING = 5
MOST_CHATTERING = 0
PRIORITY_TARGETS = {
    Priority.CRITICAL: 0.01,
    Priority.HIGH: 0.05,
    Priority.MEDIUM: 0.15,
    Priority.LOW: 0.80,
}
# Time to respond, as in the table of priorities.
ACKNOWLEDGE_WITHIN = dict(zip(Priority, WITHIN.values(), strict=True))


@dataclass(frozen=True, slots=True)
class Annunciation:
    """One time that an alarm called a person; `acknowledged_at` and `returned_at` are the first after it."""

    alarm_id: int
    rule_id: str
    equipment_id: str
    priority: Priority
    raised_at: datetime
    acknowledged_at: datetime | None
    returned_at: datetime | None


@dataclass(frozen=True, slots=True)
class BadActor:
    """An alarm that calls often, and its share of all calls."""

    rule_id: str
    equipment_id: str
    count: int
    share: float
    chattering: bool
    fleeting: int


@dataclass(frozen=True, slots=True)
class PriorityShare:
    """Calls of a priority, their share and its target, and how long people took to acknowledge, in s."""

    priority: Priority
    count: int
    share: float | None
    target_share: float
    acknowledged: int
    median_s: float | None
    p90_s: float | None
    target_s: float


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures over [since, until); shares are 0..1. None where nothing was raised."""

    since: datetime
    until: datetime
    raised: int
    per_hour: float
    per_day: float
    peak_in_10_min: int
    peak_at: datetime | None
    flood_share: float
    floods: int
    top_ten_share: float | None
    bad_actors: tuple[BadActor, ...]
    chattering: int
    fleeting: int
    priorities: tuple[PriorityShare, ...]
    median_acknowledge_s: float | None
    p90_acknowledge_s: float | None
    by_day: tuple[tuple[datetime, int], ...]


def measure(calls: Sequence[Annunciation], since: datetime, until: datetime) -> Performance:
    """All figures of the calls within [since, until)."""
    inside = sorted((c for c in calls if since <= c.raised_at < until), key=lambda c: c.raised_at)
    times = [c.raised_at for c in inside]
    span, (peak, peak_at) = until - since, _peak(times)
    in_flood, floods = _floods(times, until)
    actors = _actors(inside)
    waits = sorted(_waits(inside))
    return Performance(
        since=since,
        until=until,
        raised=len(inside),
        per_hour=len(inside) / (span / timedelta(hours=1)),
        per_day=len(inside) / (span / timedelta(days=1)),
        peak_in_10_min=peak,
        peak_at=peak_at,
        flood_share=in_flood / span,
        floods=floods,
        top_ten_share=sum(a.share for a in actors[:BAD_ACTORS]) if inside else None,
        bad_actors=tuple(actors[:BAD_ACTORS]),
        chattering=sum(a.chattering for a in actors),
        fleeting=sum(a.fleeting for a in actors),
        priorities=tuple(_of_priority(p, inside) for p in Priority),
        median_acknowledge_s=quantile(waits, 0.5),
        p90_acknowledge_s=quantile(waits, 0.9),
        by_day=_by_day(times, since, until),
    )


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest of the numbers that at least this share does not exceed; None of none."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def _peak(times: Sequence[datetime]) -> tuple[int, datetime | None]:
    """Most calls in any 10 minutes, and when those ended."""
    best, best_at, first = 0, None, 0
    for last, at in enumerate(times):
        while at - times[first] >= WINDOW:
            first += 1
        if last - first + 1 > best:
            best, best_at = last - first + 1, at
    return best, best_at


def _floods(times: Sequence[datetime], until: datetime) -> tuple[timedelta, int]:
    """Time in flood and number of floods; the rate changes when a call comes and when one is 10 min old."""
    moves = sorted([*((at, 1) for at in times), *((at + WINDOW, -1) for at in times if at + WINDOW < until)])
    rate, began, total, floods = 0, None, timedelta(0), 0
    for at, change in moves:
        rate += change
        if began is None and rate > FLOOD_BEGINS:
            began, floods = at, floods + 1
        elif began is not None and rate < FLOOD_ENDS:
            total, began = total + (at - began), None
    return (total if began is None else total + (until - began)), floods


def _actors(calls: Sequence[Annunciation]) -> list[BadActor]:
    by_key: dict[tuple[str, str], list[Annunciation]] = {}
    for call in calls:
        by_key.setdefault((call.rule_id, call.equipment_id), []).append(call)
    actors = [
        BadActor(*key, len(own), len(own) / len(calls), _chatters(own), sum(map(_is_fleeting, own)))
        for key, own in by_key.items()
    ]
    return sorted(actors, key=lambda a: (-a.count, a.rule_id, a.equipment_id))


def _chatters(own: Sequence[Annunciation]) -> bool:
    times = [c.raised_at for c in own]
    last = CHATTER_RAISES - 1
    return any(b - a < CHATTER_WINDOW for a, b in zip(times, times[last:], strict=False))


def _is_fleeting(call: Annunciation) -> bool:
    if call.returned_at is None or call.returned_at - call.raised_at >= FLEETING:
        return False
    return call.acknowledged_at is None or call.acknowledged_at > call.returned_at


def _waits(calls: Sequence[Annunciation]) -> list[float]:
    return [(c.acknowledged_at - c.raised_at).total_seconds() for c in calls if c.acknowledged_at is not None]


def _of_priority(priority: Priority, calls: Sequence[Annunciation]) -> PriorityShare:
    own = [c for c in calls if c.priority is priority]
    waits = sorted(_waits(own))
    return PriorityShare(
        priority=priority,
        count=len(own),
        share=len(own) / len(calls) if calls else None,
        target_share=PRIORITY_TARGETS[priority],
        acknowledged=len(waits),
        median_s=quantile(waits, 0.5),
        p90_s=quantile(waits, 0.9),
        target_s=ACKNOWLEDGE_WITHIN[priority].total_seconds(),
    )


def _by_day(times: Sequence[datetime], since: datetime, until: datetime) -> tuple[tuple[datetime, int], ...]:
    """Calls in each 24 h from the start of the period on."""
    days = ceil((until - since) / timedelta(days=1))
    edges = [min(since + timedelta(days=n), until) for n in range(days + 1)]
    counts = Counter((at - since) // timedelta(days=1) for at in times)
    return tuple((start, counts.get(n, 0)) for n, (start, _) in enumerate(pairwise(edges)))
