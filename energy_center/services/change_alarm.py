"""Writes what the engine decided: an alarm raised, reopened or returned, with all that follows, at once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from energy_center.domain import alarms as moves
from energy_center.domain.alarms import (
    CHATTER_RAISES,
    CHATTER_WINDOW,
    Alarm,
    AlarmEventKind,
    AlarmId,
    AlarmState,
    Evidence,
    Saving,
)
from energy_center.domain.site import Site
from energy_center.rules.bind import Binding
from energy_center.rules.engine import Change, ChangeKind
from energy_center.rules.rule import Waste
from energy_center.rules.window import Frame, Signal, from_micros
from energy_center.services.group_alarms import find_leader, join_group
from energy_center.services.hide_alarms import SYSTEM, Run, hide_if_needed, tell
from energy_center.services.reckon_saving import reckon
from energy_center.store import alarms as store
from energy_center.store.alarm_stretches import count_raises
from energy_center.store.pool import Connection

# An alarm page shows at least this much before the onset.
BEFORE_ONSET = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """The changes of one rule at one equipment in one run; `waste` is by the change's time in µs.

    With `judged_again`, the steps in (from, to] were judged before, without readings that came late.
    """

    binding: Binding
    changes: tuple[Change, ...]
    frame: Frame
    figures: Mapping[str, Signal]
    waste: Mapping[int, Waste | None]
    judged_again: tuple[datetime, datetime] | None = None


async def apply_change(run: Run, finding: Finding, change: Change) -> None:
    """One change of one rule at one equipment, with all that follows; in the run's transaction."""
    rule_id, equipment_id = finding.binding.rule.rule_id, finding.binding.equipment.equipment_id
    alarm = await store.open_alarm(run.conn, rule_id, equipment_id)
    match change.kind:
        case ChangeKind.RAISED:
            await raise_alarm(run, finding, change, alarm)
        case ChangeKind.RETURNED if alarm is not None:
            await _return(run, finding, change, alarm)
        case ChangeKind.UNVERIFIED if alarm is not None:
            note = "no data for 24 h"
            await _event(run, alarm.alarm_id, AlarmEventKind.UNVERIFIED, from_micros(change.at), note)
        case _:
            pass  # closed by hand meanwhile


async def raise_alarm(
    run: Run, finding: Finding, change: Change, found: Alarm | None, *, late: bool = False
) -> None:
    """A new alarm, or the old one again that nobody had seen go; told unless something hides it."""
    conn, at, onset = run.conn, from_micros(change.at), from_micros(change.onset)
    evidence, suggestion = evidence_of(finding, change), suggestion_of(run.site, finding, change)
    if found is not None and found.state is not AlarmState.RETURNED_UNACKNOWLEDGED:
        await store.set_evidence(conn, found.alarm_id, evidence, suggestion)
        if found.latched_at is not None:  # chattering: it is still in the list, and told
            await store.update_alarm(conn, moves.unlatch(found))
            await _event(run, found.alarm_id, AlarmEventKind.REOPENED, at, onset_at=onset)
        return
    if found is None:
        alarm = await insert_finding(run, finding, change, evidence, suggestion, late=late)
        kind = AlarmEventKind.RAISED
    else:
        alarm, kind = moves.reopen(found), AlarmEventKind.REOPENED
        await store.update_alarm(conn, alarm)
        await store.set_evidence(conn, alarm.alarm_id, evidence, suggestion)
    await _event(run, alarm.alarm_id, kind, at, onset_at=onset)
    alarm = await _flag_chatter(run, alarm, at)
    alarm = await hide_if_needed(run, replace(alarm, raised_at=at))
    if alarm.is_hidden:
        return
    leader = await find_leader(conn, alarm, run.site)
    if leader is not None:
        await join_group(conn, alarm, leader)
        return
    await tell(run, alarm)


async def _flag_chatter(run: Run, alarm: Alarm, at: datetime) -> Alarm:
    raises = await count_raises(run.conn, alarm.rule_id, alarm.equipment_id, at - CHATTER_WINDOW, at)
    if raises < CHATTER_RAISES or alarm.chattering:
        return alarm
    flagged = moves.chatter(alarm)
    await store.update_alarm(run.conn, flagged)
    await _event(run, alarm.alarm_id, AlarmEventKind.CHATTERING, at, f"{raises} in 1 h")
    return flagged


async def insert_finding(
    run: Run,
    finding: Finding,
    change: Change,
    evidence: Mapping[str, object],
    suggestion: Mapping[str, object],
    *,
    late: bool = False,
    ended: tuple[AlarmState, datetime] | None = None,
) -> Alarm:
    """Write a new alarm, unacknowledged; one that has `ended` already in the state and with the end given."""
    state, returned = ended or (AlarmState.UNACKNOWLEDGED, None)
    alarm = Alarm(
        alarm_id=AlarmId(0),
        rule_id=finding.binding.rule.rule_id,
        equipment_id=finding.binding.equipment.equipment_id,
        priority=run.dependencies.priority(finding.binding),
        state=state,
        onset_at=from_micros(change.onset),
        raised_at=from_micros(change.at),
        returned_at=returned,
        found_late_at=run.now if late else None,
    )
    return replace(alarm, alarm_id=await store.insert_alarm(run.conn, alarm, evidence, suggestion))


async def _return(run: Run, finding: Finding, change: Change, alarm: Alarm) -> None:
    conn, at = run.conn, from_micros(change.at)
    after = moves.latch(alarm, at) if alarm.chattering else moves.return_to_normal(alarm, at)
    await store.update_alarm(conn, after)
    waste = await _whole_waste(conn, finding, change, alarm)
    if waste is not None:
        saving = reckon(waste, run.site, finding.binding.building_id, alarm.onset_at, at)
        await store.set_evidence(conn, alarm.alarm_id, evidence_of(finding, change), asdict(saving))
    await _event(run, alarm.alarm_id, AlarmEventKind.RETURNED, at)
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
    run: Run,
    alarm_id: AlarmId,
    kind: AlarmEventKind,
    at: datetime,
    comment: str = "",
    *,
    onset_at: datetime | None = None,
) -> None:
    await store.add_event(run.conn, alarm_id, kind, SYSTEM, at, comment, onset_at)


def evidence_of(finding: Finding, change: Change) -> dict[str, object]:
    """What an alarm page draws."""
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


def suggestion_of(site: Site, finding: Finding, change: Change) -> dict[str, object]:
    """What the fault wastes, as far as it can be said."""
    onset, at = from_micros(change.onset), from_micros(change.at)
    waste = finding.waste.get(change.at)
    saving: Saving = reckon(waste, site, finding.binding.building_id, onset, at)
    return asdict(saving)
