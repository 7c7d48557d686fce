"""How the alarm system itself performs, and where its rules cannot tell."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain import alarm_performance as figures
from energy_center.domain.alarm_performance import Performance
from energy_center.domain.site import Text
from energy_center.rules.blindness import over_days
from energy_center.rules.find_texts import find_texts
from energy_center.rules.window import to_micros
from energy_center.store.alarm_calls import OpenCounts, alarm_calls, open_counts
from energy_center.store.out_of_service import equipment_names
from energy_center.store.pool import Database
from energy_center.store.rule_state import read_rule_states

MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure against its target; `met` is None where there is nothing to judge. `unit` is UCUM."""

    name: str
    figure: float | None
    target: float
    unit: str
    source: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class AlarmHealth:
    """Figures over a period, targets, the list as it is now, and names of what is spoken of."""

    performance: Performance
    now: OpenCounts
    goals: tuple[Goal, ...]
    rule_names: dict[str, Text]
    equipment_names: dict[str, Text]


@dataclass(frozen=True, slots=True)
class BlindRow:
    """How long a rule at an equipment could not tell in the last seven days, and for want of which input."""

    rule_id: str
    rule_name: Text
    equipment_id: str
    equipment_name: Text
    judged_h: float
    unknown_share: float
    most_missing: str | None
    is_blind: bool


async def read_alarm_health(db: Database, days: int, now: datetime) -> AlarmHealth:
    """Over the `days` times 24 h before now."""
    since = now - timedelta(days=days)
    async with db.connection() as conn:
        calls = await alarm_calls(conn, since, now)
        counts = await open_counts(conn, now)
        made = figures.measure(calls, since, now)
        names = await equipment_names(conn, [a.equipment_id for a in made.bad_actors])
    rules = {a.rule_id: find_texts(a.rule_id).name for a in made.bad_actors}
    return AlarmHealth(made, counts, _goals(made, counts), rules, names)


def _goals(made: Performance, now: OpenCounts) -> tuple[Goal, ...]:
    eemua, isa = "EEMUA 191 (2013), table 7", "ANSI/ISA-18.2-2016, 16.5"
    wanted = (
        ("per_hour", made.per_hour, figures.MOST_PER_HOUR, "/h", isa),
        ("per_day", made.per_day, figures.MOST_PER_DAY, "/d", isa),
        ("peak_in_10_min", float(made.peak_in_10_min), float(figures.MOST_IN_WINDOW), "1", eemua),
        ("flood_share", made.flood_share, figures.MOST_FLOOD_SHARE, "%", isa),
        ("top_ten_share", made.top_ten_share, figures.MOST_TOP_TEN_SHARE, "%", isa),
        ("chattering", float(made.chattering), float(figures.MOST_CHATTERING), "1", isa),
        ("fleeting", float(made.fleeting), float(figures.MOST_CHATTERING), "1", isa),
        ("standing", float(now.standing), float(figures.MOST_STANDING), "1", isa),
    )
    return tuple(
        Goal(name, figure, target, unit, source, None if figure is None else figure <= target)
        for name, figure, target, unit, source in wanted
    )


async def read_blindness(db: Database, now: datetime, limit: int = 200) -> list[BlindRow]:
    """Rules that could not tell at some time in the last seven days, the blindest first."""
    states, now_us = await read_rule_states(db), to_micros(now)
    found = [(key, over_days(state.memory, now_us)) for key, state in states.items()]
    dim = [(key, blind) for key, blind in found if blind.unknown_s > 0]
    dim.sort(key=lambda pair: (-int(pair[1].is_blind), -(pair[1].unknown_share or 0.0), pair[0]))
    shown = dim[:limit]
    async with db.connection() as conn:
        names = await equipment_names(conn, sorted({key[1] for key, _ in shown}))
    return [
        BlindRow(
            rule_id=rule_id,
            rule_name=find_texts(rule_id).name,
            equipment_id=equipment_id,
            equipment_name=names.get(equipment_id, Text(equipment_id, equipment_id)),
            judged_h=round(blind.judged_s / 3_600, 1),
            unknown_share=round(blind.unknown_share or 0.0, 4),
            most_missing=blind.most_missing,
            is_blind=blind.is_blind,
        )
        for (rule_id, equipment_id), blind in shown
    ]


def as_csv(health: AlarmHealth) -> str:
    """All figures as lines of name, figure, target, unit and source; then bad actors and days."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_lines(health))
    return text.getvalue()


def _lines(health: AlarmHealth) -> Iterator[tuple[object, ...]]:
    made = health.performance
    yield ("figure", "value", "target", "unit", "source")
    yield ("since", made.since.isoformat(), "", "", "")
    yield ("until", made.until.isoformat(), "", "", "")
    yield ("raised", made.raised, "", "1", "")
    for goal in health.goals:
        yield (goal.name, "" if goal.figure is None else goal.figure, goal.target, goal.unit, goal.source)
    for p in made.priorities:
        share = "" if p.share is None else p.share
        yield (f"share_{p.priority}", share, p.target_share, "1", "ANSI/ISA-18.2-2016, 16.5")
        yield (
            f"acknowledge_median_{p.priority}",
            "" if p.median_s is None else p.median_s,
            p.target_s,
            "s",
            "",
        )
        yield (f"acknowledge_p90_{p.priority}", "" if p.p90_s is None else p.p90_s, p.target_s, "s", "")
    for actor in made.bad_actors:
        yield (f"bad_actor {actor.rule_id}@{actor.equipment_id}", actor.count, "", "1", "")
    for day, count in made.by_day:
        yield (f"day {day.isoformat()}", count, "", "1", "")
