"""Writes what the engine decided: an alarm raised, reopened or returned, with all that follows, at once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from energy_center.domain import alarms as moves
from energy_center.domain.alarms import Alarm, AlarmEventKind, AlarmId, AlarmState, Evidence, Saving
from energy_center.domain.site import Site
from energy_center.rules.bind import Binding
from energy_center.rules.engine import Change, ChangeKind
from energy_center.rules.rule import Waste
from energy_center.rules.window import Frame, Signal, from_micros
from energy_center.services.group_alarms import RULES_ACTOR, find_leader, join_group, release_group
from energy_center.services.reckon_saving import reckon
from energy_center.services.tell_people import queue_alarm
from energy_center.services.triage import triage
from energy_center.store import alarms as store
from energy_center.store.pool import Connection, Database
from energy_center.store.rule_state import RuleState, write_rule_states

# An alarm page shows at least this much before the onset.
BEFORE_ONSET = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """The changes of one rule at one equipment in one run; `waste` is by the change's time in µs."""

    binding: Binding
    changes: tuple[Change, ...]
    frame: Frame
    figures: Mapping[str, Signal]
    waste: Mapping[int, Waste | None]
    state: RuleState


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """How many alarms were raised (or reopened) and returned."""

    raised: int
    returned: int


async def apply_changes(
    db: Database, site: Site, finding: Finding, channels: tuple[str, ...], now: datetime
) -> ChangeReport:
    """All changes and the rule's new state in one transaction: a crash repeats the run, never half of it."""
    raised = returned = 0
    async with db.transaction() as conn:
        rule_id, equipment_id = finding.binding.rule.rule_id, finding.binding.equipment.equipment_id
        for change in finding.changes:
            alarm = await store.open_alarm(conn, rule_id, equipment_id)
            match change.kind:
                case ChangeKind.RAISED:
                    await _raise(conn, site, finding, change, alarm, channels, now)
                    raised += 1
                case ChangeKind.RETURNED if alarm is not None:
                    await _return(conn, site, finding, change, alarm)
                    returned += 1
                case ChangeKind.UNVERIFIED if alarm is not None:
                    note = "no data for 24 h"
                    await _event(
                        conn, alarm.alarm_id, AlarmEventKind.UNVERIFIED, from_micros(change.at), note
                    )
                case _:
                    pass  # closed by hand meanwhile
        await write_rule_states(conn, [finding.state])
    return ChangeReport(raised, returned)


async def _raise(
    conn: Connection,
    site: Site,
    finding: Finding,
    change: Change,
    found: Alarm | None,
    channels: tuple[str, ...],
    now: datetime,
) -> None:
    evidence, suggestion = _evidence(finding, change), _suggestion(site, finding, change)
    if found is not None and found.state is not AlarmState.RETURNED_UNACKNOWLEDGED:
        await store.set_evidence(conn, found.alarm_id, evidence, suggestion)
        return  # raised already: the run before this one was cut off
    if found is None:
        alarm = await _insert(conn, finding, change, evidence, suggestion)
        kind = AlarmEventKind.RAISED
    else:
        alarm = moves.reopen(found)
        await store.update_alarm(conn, alarm)
        await store.set_evidence(conn, alarm.alarm_id, evidence, suggestion)
        kind = AlarmEventKind.REOPENED
    await _event(conn, alarm.alarm_id, kind, from_micros(change.at))
    leader = await find_leader(conn, alarm, site)
    if leader is not None:
        await join_group(conn, alarm, leader)
        return
    place = finding.binding.equipment.name.zh_tw
    await queue_alarm(conn, alarm, finding.binding.rule.name(), channels, place, now)
    await triage(conn, alarm, RULES_ACTOR, now)
    await store.notify_alarms(conn, alarm.alarm_id)


async def _insert(
    conn: Connection,
    finding: Finding,
    change: Change,
    evidence: Mapping[str, object],
    suggestion: Mapping[str, object],
) -> Alarm:
    alarm = Alarm(
        alarm_id=AlarmId(0),
        rule_id=finding.binding.rule.rule_id,
        equipment_id=finding.binding.equipment.equipment_id,
        priority=finding.binding.rule.priority,
        state=AlarmState.UNACKNOWLEDGED,
        onset_at=from_micros(change.onset),
        raised_at=from_micros(change.at),
    )
    return replace(alarm, alarm_id=await store.insert_alarm(conn, alarm, evidence, suggestion))


async def _return(conn: Connection, site: Site, finding: Finding, change: Change, alarm: Alarm) -> None:
    at = from_micros(change.at)
    await store.update_alarm(conn, moves.return_to_normal(alarm, at))
    waste = await _whole_waste(conn, finding, change, alarm)
    if waste is not None:
        saving = reckon(waste, site, finding.binding.building_id, alarm.onset_at, at)
        await store.set_evidence(conn, alarm.alarm_id, _evidence(finding, change), asdict(saving))
    await _event(conn, alarm.alarm_id, AlarmEventKind.RETURNED, at)
    await release_group(conn, alarm, at)
    await store.notify_alarms(conn, alarm.alarm_id)


async def _whole_waste(conn: Connection, finding: Finding, change: Change, alarm: Alarm) -> Waste | None:
    """What was wasted from onset to return; by the rate at the start where that lies too far back."""
    if len(finding.frame) > 0 and change.onset >= finding.frame.times[0]:
        return finding.waste.get(change.at)
    (listed,) = await store.listed_alarms(conn, open_only=False, limit=1, alarm_id=alarm.alarm_id)
    per_day_kwh = listed.suggestion.get("per_day_kwh")
    if per_day_kwh is None:
        return None
    days = (from_micros(change.at) - alarm.onset_at) / timedelta(days=1)
    return Waste(energy_kwh=per_day_kwh * days, basis=f"at the rate of its start; {_first_basis(listed)}")


def _first_basis(listed: store.ListedAlarm) -> str:
    return str(listed.suggestion.get("basis", "")).partition(";")[0]


async def _event(
    conn: Connection, alarm_id: AlarmId, kind: AlarmEventKind, at: datetime, comment: str = ""
) -> None:
    await store.add_event(conn, alarm_id, kind, RULES_ACTOR.name, at, comment)


def _evidence(finding: Finding, change: Change) -> dict[str, object]:
    binding, at = finding.binding, from_micros(change.at)
    points = binding.all_points
    evidence = Evidence(
        window_from=from_micros(change.onset) - BEFORE_ONSET,
        window_to=at,
        point_ids=tuple(p.point_id for p in points),
        points=tuple(f"{p.equipment_id}/{p.name}" for p in points),
        parameters={
            **binding.parameters,
            "hold_s": binding.timing.hold_s,
            "keep_s": binding.timing.keep_s,
        },
        values=_values(finding, change.at),
        notes=tuple(device for devices in binding.devices.values() for device in devices),
    )
    return {
        **asdict(evidence),
        "window_from": evidence.window_from.isoformat(),
        "window_to": evidence.window_to.isoformat(),
    }


def _values(finding: Finding, at: int) -> dict[str, float]:
    """The figures at the step of the change, rounded for people."""
    place = int(np.searchsorted(finding.frame.times, at))
    if place >= len(finding.frame):
        return {}
    values = {name: float(signal.values[place]) for name, signal in finding.figures.items()}
    return {name: round(value, 3) for name, value in values.items() if not np.isnan(value)}


def _suggestion(site: Site, finding: Finding, change: Change) -> dict[str, object]:
    onset, at = from_micros(change.onset), from_micros(change.at)
    waste = finding.waste.get(change.at)
    saving: Saving = reckon(waste, site, finding.binding.building_id, onset, at)
    return asdict(saving)
