"""The rollup of one point written plainly, reading by reading, to compare the queries with."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

BUCKET_S = 900.0
UNUSABLE = 1 | 8


@dataclass(frozen=True)
class Row:
    mean: float | None
    low: float
    high: float
    first: float
    last: float
    coverage: float
    n: int
    quality: int


@dataclass(frozen=True)
class Raw:
    t: float
    value: float
    quality: int = 0


def step(before: float, after: float, hours: float, rate: float | None, rollover: float | None) -> float:
    if after >= before:
        is_believable = rate is None or after - before <= max(rate * hours, rate / 60, 1)
        return after - before if is_believable else 0
    if rollover is None or before > rollover:
        return 0
    rise = after - before + rollover
    limit = max((rollover / 10 if rate is None else rate) * hours, 1 if rate is None else rate / 60, 1)
    return rise if rise <= limit else 0


def without_glitches(rows: Sequence[Raw]) -> list[Raw]:
    """Leave out single readings of a bucket that fall below or jump above both neighbours."""
    kept = []
    for i, row in enumerate(rows):
        if 0 < i < len(rows) - 1:
            a, b = rows[i - 1].value, rows[i + 1].value
            if a <= b and (row.value < a or row.value > b):
                continue
        kept.append(row)
    return kept


def roll_up(
    readings: Sequence[Raw],
    interval_s: Callable[[float], float],
    *,
    slowest_s: float = 0.0,
    is_counter: bool = False,
    rate: float | None = None,
    rollover: float | None = None,
) -> dict[float, Row]:
    """15-min rows by the start of their bucket, seconds since 1970."""
    buckets: dict[float, list[Raw]] = {}
    for reading in sorted(readings, key=lambda r: r.t):
        if not reading.quality & UNUSABLE:
            buckets.setdefault(reading.t // BUCKET_S * BUCKET_S, []).append(reading)
    usable = sorted((r for inside in buckets.values() for r in inside), key=lambda r: r.t)
    limits = (rate, rollover) if is_counter else None
    carried = _carried(usable, interval_s, limits)
    rows: dict[float, Row] = {}
    before: Raw | None = None
    for start in sorted({*buckets, *carried}):
        if start in carried:
            rows[start] = carried[start]
            continue
        used = without_glitches(buckets[start]) if is_counter else buckets[start]
        reach = max(7200.0, 1.5 * slowest_s)
        mean, coverage = _weigh(start, used, before, interval_s(start), reach)
        quality = 0
        for row in used:
            quality |= row.quality
        values = [row.value for row in used]
        rows[start] = Row(
            None if is_counter else mean,
            min(values),
            max(values),
            values[0],
            values[-1],
            coverage,
            len(used),
            quality,
        )
        before = used[-1]
    return rows


def _carried(
    usable: Sequence[Raw],
    interval_s: Callable[[float], float],
    limits: tuple[float | None, float | None] | None,
) -> dict[float, Row]:
    """Buckets between two readings of a slow point: a gauge holds, a counter (with limits) rises evenly."""
    rows = {}
    for reading, after in itertools.pairwise(usable):
        gap, rise = after.t - reading.t, after.value - reading.value
        if limits is not None and (rise < 0 or step(reading.value, after.value, gap / 3600, *limits) != rise):
            continue
        start = reading.t // BUCKET_S * BUCKET_S + BUCKET_S
        while start + BUCKET_S <= after.t // BUCKET_S * BUCKET_S:
            interval = interval_s(start)
            in_time = gap <= 1.5 * interval
            until = after.t if in_time else reading.t + interval
            share = (min(until, start + BUCKET_S) - start) / BUCKET_S
            if interval > BUCKET_S and share > 0:
                if limits is None:
                    v = reading.value
                    rows[start] = Row(v, v, v, v, v, share, 0, reading.quality)
                elif in_time:
                    a, b = (reading.value + rise * (t - reading.t) / gap for t in (start, start + BUCKET_S))
                    rows[start] = Row(None, a, b, a, b, share, 0, reading.quality)
            start += BUCKET_S
    return rows


def _weigh(
    start: float, used: Sequence[Raw], before: Raw | None, interval: float, reach: float
) -> tuple[float, float]:
    def hold(gap: float) -> float:
        return gap if gap <= 1.5 * interval else interval

    ends = [row.t for row in used[1:]] + [start + BUCKET_S]
    weights = [(hold(end - row.t), row.value) for row, end in zip(used, ends, strict=True)]
    if before is not None and used[0].t - before.t <= reach:
        held_until = min(used[0].t, before.t + hold(used[0].t - before.t))
        weights.append((max(0.0, held_until - start), before.value))
    total = sum(w for w, _ in weights)
    return sum(w * v for w, v in weights) / total, min(1.0, total / BUCKET_S)
