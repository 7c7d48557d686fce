"""Time as a building lives it: half-open intervals, site-local days and months, 15-min demand blocks.

Everything is aware UTC; a zone is used only to find where a local day or month begins. Calendars of working
days and holidays are in `domain.calendars`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BLOCK = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """[start, end), aware UTC; never empty."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            message = "an interval needs aware times"
            raise ValueError(message)
        if self.end <= self.start:
            message = f"an interval ends after it starts: {self.start.isoformat()} .. {self.end.isoformat()}"
            raise ValueError(message)

    @property
    def duration(self) -> timedelta:
        """Elapsed time, whatever the clocks did."""
        return self.end.astimezone(UTC) - self.start.astimezone(UTC)

    @property
    def hours(self) -> float:
        """Elapsed hours."""
        return self.duration / timedelta(hours=1)

    def contains(self, at: datetime) -> bool:
        """Whether an instant lies in it; the end does not."""
        return self.start <= at < self.end

    def overlap(self, other: "Interval") -> "Interval | None":
        """What both have in common, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The site-local date of an instant."""
    return at.astimezone(zone).date()


def midnight(on: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins.

    Where clocks go forward at midnight (as in Beirut) there is no 00:00: the day begins at the first instant.
    """
    return datetime.combine(on, time(), tzinfo=zone).astimezone(UTC)


def day(on: date, zone: ZoneInfo) -> Interval:
    """A local day: 24 hours, or 23 or 25 where clocks change."""
    return Interval(midnight(on, zone), midnight(on + timedelta(days=1), zone))


def day_of(at: datetime, zone: ZoneInfo) -> Interval:
    """The local day that an instant lies in."""
    return day(local_date(at, zone), zone)


def hour_of(at: datetime, zone: ZoneInfo) -> Interval:
    """The local hour that holds an instant; it may begin at another quarter than UTC's."""
    local = at.astimezone(zone)
    start = at.astimezone(UTC) - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    return Interval(start, start + timedelta(hours=1))


def next_month(on: date) -> date:
    """The first of the following month."""
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


def month(on: date, zone: ZoneInfo) -> Interval:
    """The local month that a date lies in."""
    first = on.replace(day=1)
    return Interval(midnight(first, zone), midnight(next_month(first), zone))


def days_in(period: Interval, zone: ZoneInfo) -> Iterator[Interval]:
    """The local days of a period in order; the first and last are cut at its ends."""
    on = local_date(period.start, zone)
    while midnight(on, zone) < period.end:
        part = day(on, zone).overlap(period)
        if part is not None:
            yield part
        on += timedelta(days=1)


def months_in(period: Interval, zone: ZoneInfo) -> Iterator[Interval]:
    """The local months of a period in order; the first and last are cut at its ends."""
    first = local_date(period.start, zone).replace(day=1)
    while midnight(first, zone) < period.end:
        part = month(first, zone).overlap(period)
        if part is not None:
            yield part
        first = next_month(first)


def block_of(at: datetime) -> Interval:
    """The 15-min demand block of an instant, aligned to :00, :15, :30, :45.

    Aligned in UTC, which is aligned on the wall in every zone in use today: all offsets are quarter-hours.
    """
    start = _EPOCH + (at.astimezone(UTC) - _EPOCH) // BLOCK * BLOCK
    return Interval(start, start + BLOCK)


def blocks_in(period: Interval) -> Iterator[Interval]:
    """The demand blocks that touch a period, whole, in order."""
    block = block_of(period.start)
    while block.start < period.end:
        yield block
        block = Interval(block.end, block.end + BLOCK)
