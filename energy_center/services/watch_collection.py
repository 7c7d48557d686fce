"""Raises and returns the alarms about collection itself, and forgets collectors that others replace."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from energy_center.domain import alarms as moves
from energy_center.domain.alarms import Alarm, AlarmEventKind, AlarmId, AlarmState, Evidence, Saving
from energy_center.domain.supervision import COLLECTOR, CollectorReport, Trouble, is_silent, troubles_of
from energy_center.rules.collection_alarms import COLLECTION_ALARMS
from energy_center.services.group_alarms import RULES_ACTOR
from energy_center.services.tell_people import queue_alarm
from energy_center.services.triage import triage
from energy_center.store import alarms as store
from energy_center.store.pool import Connection, Database
from energy_center.store.supervision import collectors_in, forget_collectors

_BY_RULE = {alarm.rule_id: trouble for trouble, alarm in COLLECTION_ALARMS.items()}
_Standing = dict[tuple[str, str], Alarm]


async def watch_collection(db: Database, now: datetime, channels: tuple[str, ...] = ("file", "log")) -> int:
    """Bring the alarms in step with what the collectors tell; gives how many were raised."""
    async with db.transaction() as conn:
        reports = await collectors_in(conn)
        replaced = replaced_ones(reports, now)
        await forget_collectors(conn, [r.collector_id for r in replaced])
        wrong = {
            (COLLECTION_ALARMS[trouble].rule_id, f"{COLLECTOR}{report.collector_id}"): report
            for report in reports
            if report not in replaced
            for trouble in troubles_of(report, now)
        }
        held: _Standing = {
            (a.rule_id, a.equipment_id): a for a in await store.open_alarms(conn, list(_BY_RULE))
        }
        raised = await _raise(conn, wrong, held, channels, now)
        for key, alarm in held.items():
            if key not in wrong and alarm.state.is_active:
                await _return(conn, alarm, now)
    return raised


def replaced_ones(reports: Sequence[CollectorReport], now: datetime) -> list[CollectorReport]:
    """Silent collectors whose every connection is told of by one that lives."""
    living = [r for r in reports if not is_silent(r, now)]
    told = {bus.connection_id for report in living for bus in report.buses}
    return [r for r in reports if r not in living and told and {bus.connection_id for bus in r.buses} <= told]


async def _raise(
    conn: Connection,
    wrong: Mapping[tuple[str, str], CollectorReport],
    held: _Standing,
    channels: tuple[str, ...],
    now: datetime,
) -> int:
    raised = 0
    for (rule_id, equipment_id), report in wrong.items():
        found = held.get((rule_id, equipment_id))
        if found is not None and found.state.is_active:
            continue
        trouble = _BY_RULE[rule_id]
        if found is None:
            alarm, kind = await _insert(conn, trouble, equipment_id, report, now), AlarmEventKind.RAISED
        else:
            alarm, kind = moves.reopen(found), AlarmEventKind.REOPENED
            await store.update_alarm(conn, alarm)
        await store.add_event(conn, alarm.alarm_id, kind, RULES_ACTOR.name, now)
        place = f"{report.host} ({report.collector_id})"
        await queue_alarm(conn, alarm, COLLECTION_ALARMS[trouble].name(), channels, place, now)
        await triage(conn, alarm, RULES_ACTOR, now)
        await store.notify_alarms(conn, alarm.alarm_id)
        raised += 1
    return raised


async def _insert(
    conn: Connection, trouble: Trouble, equipment_id: str, report: CollectorReport, now: datetime
) -> Alarm:
    onset = _onset(trouble, report, now)
    alarm = Alarm(
        alarm_id=AlarmId(0),
        rule_id=COLLECTION_ALARMS[trouble].rule_id,
        equipment_id=equipment_id,
        priority=COLLECTION_ALARMS[trouble].priority,
        state=AlarmState.UNACKNOWLEDGED,
        onset_at=onset,
        raised_at=now,
    )
    evidence = asdict(
        Evidence(
            onset, now, values=_values(trouble, report, now), notes=(report.host, *report.reload_mistakes)
        )
    )
    for instant in ("window_from", "window_to"):
        evidence[instant] = evidence[instant].isoformat()
    alarm_id = await store.insert_alarm(conn, alarm, evidence, asdict(Saving()))
    return replace(alarm, alarm_id=alarm_id)


def _onset(trouble: Trouble, report: CollectorReport, now: datetime) -> datetime:
    spool = report.spool
    match trouble:
        case Trouble.SILENT:
            return report.at
        case Trouble.BACKLOG:
            return spool.oldest_unsent_at or now
        case Trouble.DROPPING:
            return spool.last_dropped_at or now
        case _:
            return now


def _values(trouble: Trouble, report: CollectorReport, now: datetime) -> dict[str, float]:
    spool = report.spool
    match trouble:
        case Trouble.SILENT:
            return {"silent_min": round((now - report.at).total_seconds() / 60, 1)}
        case Trouble.DROPPING:
            return {"dropped_readings": spool.dropped}
        case Trouble.BACKLOG if spool.oldest_unsent_at is not None:
            return {"oldest_unsent_min": round((now - spool.oldest_unsent_at).total_seconds() / 60, 1)}
        case Trouble.UNKNOWN_POINTS:
            return {"set_aside_bytes": spool.unknown_bytes}
        case _:
            return {}


async def _return(conn: Connection, alarm: Alarm, now: datetime) -> None:
    await store.update_alarm(conn, moves.return_to_normal(alarm, now))
    await store.add_event(conn, alarm.alarm_id, AlarmEventKind.RETURNED, RULES_ACTOR.name, now)
    await store.notify_alarms(conn, alarm.alarm_id)
