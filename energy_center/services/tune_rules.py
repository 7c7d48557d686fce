"""Tuning rules: compare two parameter sets over the past, adopt one, take it back. Each deed is audited."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from energy_center.domain.people import Actor
from energy_center.domain.site import Site, Text
from energy_center.domain.tuning import ComparisonState, Stretch, score
from energy_center.errors import Conflict, EnergyCenterError, Invalid, NotFound
from energy_center.rules.bind import bind
from energy_center.rules.check_overrides import TIMINGS, override_mistakes
from energy_center.rules.find_rules import find_rule, rules
from energy_center.services.backtest_rule import BacktestReport, backtest_rule
from energy_center.store import alarms as alarm_store
from energy_center.store import audit
from energy_center.store import rule_tuning as store
from energy_center.store.pool import Database
from energy_center.store.rule_tuning import Adoption, Comparison
from energy_center.store.site import load_site

__all__ = [
    "Adoption",
    "Comparison",
    "ParameterNow",
    "PastAlarm",
    "RuleName",
    "RuleTuning",
    "adopt",
    "ask_comparison",
    "cancel_comparison",
    "list_rules",
    "read_comparison",
    "read_tuning",
    "run_next_comparison",
    "say_verdict",
    "undo",
]

MOST_OPEN = 10
_LISTED = 20


class _Cancelled(Exception):
    """Somebody cancelled the comparison that runs."""


@dataclass(frozen=True, slots=True)
class ParameterNow:
    """A parameter with its default and what is in force at the site; None where equipment says it."""

    name: str
    unit: str
    default: float | None
    site_file: float | None
    adopted: float | None
    source: str

    @property
    def in_force(self) -> float | None:
        """What the rules use for the site."""
        given = (self.adopted, self.site_file, self.default)
        return next((number for number in given if number is not None), None)


@dataclass(frozen=True, slots=True)
class PastAlarm:
    """An alarm of the rule and what people said of it: right, wrong, or nothing yet."""

    alarm_id: int
    equipment_id: str
    raised_at: datetime
    was_right: bool | None


@dataclass(frozen=True, slots=True)
class RuleTuning:
    """A rule with its parameters, what was adopted, what was compared, and its newest alarms."""

    rule_id: str
    name: Text
    parameters: tuple[ParameterNow, ...]
    equipment: tuple[str, ...]
    adoptions: tuple[Adoption, ...]
    comparisons: tuple[Comparison, ...]
    alarms: tuple[PastAlarm, ...]


@dataclass(frozen=True, slots=True)
class RuleName:
    """A rule in the list; `adopted` where something is in force that people adopted."""

    rule_id: str
    name: Text
    subject: str
    adopted: bool


def rule_key(rule_id: str, equipment_id: str | None) -> str:
    """As in the site file: a rule, or a rule at one equipment."""
    return rule_id if equipment_id is None else f"{rule_id}@{equipment_id}"


async def list_rules(db: Database) -> list[RuleName]:
    """The catalogue, by subject."""
    async with db.connection() as conn:
        tuned = {key.partition("@")[0] for key in await store.in_force(conn)}
    return [
        RuleName(rule_id, entry.rule.name(), entry.rule.subject, rule_id in tuned)
        for rule_id, entry in sorted(rules().items(), key=lambda item: (item[1].rule.subject, item[0]))
    ]


async def read_tuning(db: Database, rule_id: str) -> RuleTuning:
    """Everything about tuning one rule. Raises NotFound."""
    entry, site = find_rule(rule_id), await _site(db)
    async with db.connection() as conn:
        adopted = (await store.in_force(conn)).get(rule_id, {})
        adoptions = await store.list_adoptions(conn, rule_id, _LISTED)
        comparisons = await store.list_comparisons(conn, rule_id, _LISTED)
        past = await store.verdicts(conn, rule_id, _LISTED)
    of_file = site.rule_parameters.get(rule_id, {})
    timings = dict(zip(TIMINGS, (entry.rule.hold_s, entry.rule.keep_s, entry.rule.step_s), strict=True))
    given = [(p.name, p.unit, p.default, p.source) for p in entry.rule.parameters]
    given += [(name, "s", default, "") for name, default in timings.items()]
    return RuleTuning(
        rule_id,
        entry.rule.name(),
        tuple(
            ParameterNow(name, unit, default, of_file.get(name), adopted.get(name), source)
            for name, unit, default, source in given
        ),
        tuple(b.equipment.equipment_id for b in bind({rule_id: entry}, site)),
        tuple(adoptions),
        tuple(comparisons),
        tuple(PastAlarm(*row) for row in past),
    )


async def ask_comparison(
    db: Database,
    rule_id: str,
    equipment_id: str | None,
    days: int,
    sets: tuple[Mapping[str, float], Mapping[str, float]],
    actor: Actor,
    now: datetime,
) -> Comparison:
    """Let the worker compare two parameter sets over the last days.

    Raises NotFound, Invalid for a parameter that the rule does not have, Conflict when ten wait already.
    """
    find_rule(rule_id)
    site, key = await _site(db), rule_key(rule_id, equipment_id)
    for numbers in sets:
        _check(site, key, numbers)
    asked = Comparison(
        0, key, now - timedelta(days=days), now, sets[0], sets[1], ComparisonState.WAITING, 0.0, None, None,
        actor.name, now,
    )  # fmt: skip
    async with db.transaction() as conn:
        if await store.open_comparisons(conn) >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN} comparisons are waiting; let them end or cancel one")
        made = replace(asked, comparison_id=await store.insert_comparison(conn, asked))
        after = {"rule": key, "days": days, "first": dict(sets[0]), "second": dict(sets[1])}
        subject = f"comparison/{made.comparison_id}"
        await audit.append(conn, actor, "rule.compared", subject, None, after, now)
    return made


async def read_comparison(db: Database, comparison_id: int) -> Comparison:
    """How far it is, or what came of it. Raises NotFound."""
    async with db.transaction() as conn:
        found = await store.find_comparison(conn, comparison_id)
    if found is None:
        raise NotFound("There is no such comparison", comparison_id=comparison_id)
    return found


async def cancel_comparison(db: Database, comparison_id: int, actor: Actor, now: datetime) -> Comparison:
    """One that runs ends after the equipment at hand. Raises NotFound, Conflict when it is over."""
    async with db.transaction() as conn:
        found = await store.find_comparison(conn, comparison_id)
        if found is None:
            raise NotFound("There is no such comparison", comparison_id=comparison_id)
        if not found.state.is_open:
            raise Conflict("The comparison is over", state=found.state.value)
        await store.end_comparison(conn, comparison_id, ComparisonState.CANCELLED)
        subject = f"comparison/{comparison_id}"
        await audit.append(conn, actor, "rule.comparison_cancelled", subject, None, None, now)
    return replace(found, state=ComparisonState.CANCELLED)


async def adopt(
    db: Database,
    rule_id: str,
    equipment_id: str | None,
    parameters: Mapping[str, float],
    reason: str,
    actor: Actor,
    now: datetime,
) -> Adoption:
    """Put parameters in force from the rules' next run on; they go before the site file.

    Raises NotFound, and Invalid for a parameter that the rule does not have or when there is none.
    """
    find_rule(rule_id)
    if not parameters:
        raise Invalid("Nothing to adopt: no parameter is given")
    site, key = await _site(db), rule_key(rule_id, equipment_id)
    _check(site, key, parameters)
    async with db.transaction() as conn:
        before = (await store.in_force(conn)).get(key)
        adoption_id = await store.insert_adoption(conn, key, parameters, reason, actor.name, now)
        subject = f"rule/{key}"
        await audit.append(conn, actor, "rule.adopted", subject, before, dict(parameters), now)
    return Adoption(adoption_id, key, parameters, reason, actor.name, now, None, None)


async def undo(db: Database, adoption_id: int, actor: Actor, now: datetime) -> Adoption:
    """What held before holds again. Raises NotFound, Conflict when it was undone before."""
    async with db.transaction() as conn:
        found = await store.lock_adoption(conn, adoption_id)
        if found is None:
            raise NotFound("There is no such adoption", adoption_id=adoption_id)
        if found.undone_at is not None:
            raise Conflict("It was undone before", by=found.undone_by)
        await store.undo_adoption(conn, adoption_id, actor.name, now)
        after = (await store.in_force(conn)).get(found.rule_key)
        subject = f"rule/{found.rule_key}"
        await audit.append(conn, actor, "rule.adoption_undone", subject, found.parameters, after, now)
    return replace(found, undone_by=actor.name, undone_at=now)


async def say_verdict(db: Database, alarm_id: int, actor: Actor, now: datetime, *, was_right: bool) -> None:
    """Whether an alarm was right: the truth for comparisons. Raises NotFound."""
    async with db.transaction() as conn:
        if await alarm_store.lock_alarm(conn, alarm_id) is None:
            raise NotFound("There is no such alarm", alarm_id=alarm_id)
        await store.set_verdict(conn, alarm_id, actor.name, now, was_right=was_right)
        after = {"was_right": was_right}
        await audit.append(conn, actor, "alarm.verdict", f"alarm/{alarm_id}", None, after, now)


async def run_next_comparison(db: Database) -> bool:
    """Do the oldest comparison that waits, in the worker; False when there is none."""
    async with db.transaction() as conn:
        asked = await store.take_comparison(conn)
    if asked is None:
        return False
    try:
        result = {
            "first": await _side(db, asked, asked.first_set, 0.0),
            "second": await _side(db, asked, asked.second_set, 0.5),
        }
        state, problem = ComparisonState.DONE, None
    except _Cancelled:
        return True
    except EnergyCenterError as wrong:
        result, state, problem = None, ComparisonState.FAILED, wrong.message
    async with db.transaction() as conn:
        await store.end_comparison(conn, asked.comparison_id, state, result, problem)
    return True


async def _side(
    db: Database, asked: Comparison, numbers: Mapping[str, float], begun: float
) -> dict[str, Any]:
    rule_id, _, equipment_id = asked.rule_key.partition("@")

    async def watch(share: float) -> None:
        async with db.transaction() as conn:
            if not await store.set_progress(conn, asked.comparison_id, begun + share / 2):
                raise _Cancelled

    report = await backtest_rule(
        db,
        rule_id,
        asked.since,
        asked.until,
        overrides=numbers,
        equipment_id=equipment_id or None,
        watch=watch,
    )
    async with db.connection() as conn:
        known = await store.known_alarms(conn, rule_id, asked.since, asked.until)
    places = {p.equipment_id for p in report.places}
    return _figures(report, [k for k in known if k.stretch.equipment_id in places])


def _figures(report: BacktestReport, known: list[Any]) -> dict[str, Any]:
    findings = [f for place in report.places for f in place.findings]
    scored = score([Stretch(f.equipment_id, f.onset_at, f.returned_at) for f in findings], known)
    unknown = [p.unknown_share for p in report.places]
    return {
        "findings": len(findings),
        "places": len(report.places),
        "alarms_per_day": report.alarms_per_day,
        "energy_kwh": report.energy_kwh,
        "unknown_share": sum(unknown) / len(unknown) if unknown else None,
        "grain": report.grain.value,
        "truth": asdict(scored),
        "precision": scored.precision,
        "recall": scored.recall,
    }


def _check(site: Site, key: str, numbers: Mapping[str, float]) -> None:
    mistakes = override_mistakes(replace(site, rule_parameters={key: numbers}))
    if mistakes:
        raise Invalid("; ".join(mistakes))


async def _site(db: Database) -> Site:
    site = await load_site(db)
    if site is None:
        raise NotFound("No site has been applied yet")
    return site
