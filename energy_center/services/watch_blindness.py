"""Raises `dq-rule-blind` where a rule could not tell for over a fifth of the last week; one per equipment.

It returns when every rule there has been able to tell again for long enough to come under the limit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from energy_center.domain import alarms as moves
from energy_center.domain.alarms import Alarm, AlarmEventKind, AlarmId, AlarmState, Evidence, Saving
from energy_center.rules.blind_alarm import PRIORITY, RULE_ID
from energy_center.rules.blindness import OVER_DAYS, Blindness, must_be_told, over_days
from energy_center.rules.rule import Rule
from energy_center.rules.window import to_micros
from energy_center.services.group_alarms import find_leader, join_group
from energy_center.services.hide_alarms import SYSTEM, Run, hide_if_needed, tell
from energy_center.services.run_rules import plan_of
from energy_center.store import alarms as store
from energy_center.store.pool import Database
from energy_center.store.rule_state import read_rule_states
from energy_center.store.rule_tuning import load_tuned_site

Blind = tuple[str, Blindness]  # rule id and its tally


async def watch_blindness(db: Database, now: datetime, channels: tuple[str, ...] = ("file", "log")) -> int:
    """Bring the findings in step with what the rules could tell; gives how many were raised."""
    site = await load_tuned_site(db)
    if site is None:
        return 0
    plan = plan_of(site)
    bound = {(b.rule.rule_id, b.equipment.equipment_id): b.rule for b in plan.bindings}
    blind = _by_equipment(await _tallies(db, now), bound)
    raised = 0
    async with db.transaction() as conn:
        run = Run(conn, site, plan.dependencies, channels, now)
        held = {a.equipment_id: a for a in await store.open_alarms(conn, [RULE_ID])}
        for equipment_id, found in blind.items():
            raised += await _raise(run, equipment_id, found, held.get(equipment_id))
        for equipment_id, alarm in held.items():
            if equipment_id not in blind and alarm.state.is_active:
                await _return(run, alarm)
    return raised


async def _tallies(db: Database, now: datetime) -> dict[tuple[str, str], Blindness]:
    now_us = to_micros(now)
    return {key: over_days(state.memory, now_us) for key, state in (await read_rule_states(db)).items()}


def _by_equipment(
    tallies: Mapping[tuple[str, str], Blindness], bound: Mapping[tuple[str, str], Rule]
) -> dict[str, list[Blind]]:
    """Blind rules of each equipment, the blindest first; what no longer applies there is left out."""
    found: dict[str, list[Blind]] = defaultdict(list)
    for (rule_id, equipment_id), tally in tallies.items():
        rule = bound.get((rule_id, equipment_id))
        if rule is not None and must_be_told(rule, tally):
            found[equipment_id].append((rule_id, tally))
    for rules in found.values():
        rules.sort(key=lambda pair: (-(pair[1].unknown_share or 0.0), pair[0]))
    return found


async def _raise(run: Run, equipment_id: str, blind: Sequence[Blind], held: Alarm | None) -> int:
    evidence = _evidence(blind, run.now)
    if held is not None and held.state.is_active:
        await store.set_evidence(run.conn, held.alarm_id, evidence, asdict(Saving()))
        return 0
    if held is None:
        alarm, kind = await _insert(run, equipment_id, evidence), AlarmEventKind.RAISED
    else:
        alarm, kind = moves.reopen(held), AlarmEventKind.REOPENED
        await store.update_alarm(run.conn, alarm)
    await store.add_event(run.conn, alarm.alarm_id, kind, SYSTEM, run.now, "", run.now)
    alarm = await hide_if_needed(run, alarm)
    leader = None if alarm.is_hidden else await find_leader(run.conn, alarm, run.site)
    if leader is not None:
        await join_group(run.conn, alarm, leader)
    elif not alarm.is_hidden:
        await tell(run, alarm)
    return 1


async def _insert(run: Run, equipment_id: str, evidence: Mapping[str, object]) -> Alarm:
    alarm = Alarm(AlarmId(0), RULE_ID, equipment_id, PRIORITY, AlarmState.UNACKNOWLEDGED, run.now, run.now)
    alarm_id = await store.insert_alarm(run.conn, alarm, evidence, asdict(Saving()))
    return replace(alarm, alarm_id=alarm_id)


def _evidence(blind: Sequence[Blind], now: datetime) -> dict[str, object]:
    """Shares by rule, and in the notes the input of each that was missing most."""
    evidence = Evidence(
        window_from=now - timedelta(days=OVER_DAYS),
        window_to=now,
        values={f"{rule_id} unknown_pct": round(100 * (t.unknown_share or 0.0), 1) for rule_id, t in blind},
        notes=tuple(f"{rule_id}: {t.most_missing or '?'}" for rule_id, t in blind),
    )
    return {
        **asdict(evidence),
        "window_from": evidence.window_from.isoformat(),
        "window_to": evidence.window_to.isoformat(),
    }


async def _return(run: Run, alarm: Alarm) -> None:
    await store.update_alarm(run.conn, moves.return_to_normal(alarm, run.now))
    await store.add_event(run.conn, alarm.alarm_id, AlarmEventKind.RETURNED, SYSTEM, run.now)
    await store.notify_alarms(run.conn, alarm.alarm_id)
