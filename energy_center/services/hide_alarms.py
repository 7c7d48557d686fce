"""Alarms that are recorded only: suppressed by design or out of service, and when they come into the list."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain import alarms as moves
from energy_center.domain.alarms import DELAY_OFF, Alarm, AlarmEventKind, Suppression
from energy_center.domain.site import Site
from energy_center.rules.dependencies import Dependencies, Key, Stood
from energy_center.rules.find_texts import find_texts
from energy_center.services.group_alarms import RULES_ACTOR
from energy_center.services.tell_people import queue_alarm
from energy_center.services.triage import triage
from energy_center.store import alarm_stretches as kept
from energy_center.store import alarms as store
from energy_center.store.out_of_service import current_out, end_out, lapsed_out
from energy_center.store.pool import Connection

# Stretches that ended longer ago than this hide nothing any more: the longest delay after late readings.
STRETCHES_BACK = timedelta(hours=26)
SYSTEM = "system:rules"


@dataclass(frozen=True, slots=True)
class Run:
    """What all changes of one run share; `until` is the instant up to which everything is judged."""

    conn: Connection
    site: Site
    dependencies: Dependencies
    channels: tuple[str, ...]
    now: datetime


async def stood_parents(run: Run, key: Key) -> dict[Key, list[Stood]]:
    """When the possible parents of an alarm stood."""
    parents = run.dependencies.parents.get(key, ())
    rules = sorted({p.key[0] for p in parents})
    found: dict[Key, list[Stood]] = defaultdict(list)
    for s in await kept.stretches(run.conn, rules, run.now - STRETCHES_BACK) if rules else ():
        at = (s.rule_id, s.equipment_id)
        found[at].append(Stood(at, s.raised_at, s.returned_at, f"alarm/{s.alarm_id}"))
    return found


async def hide_if_needed(run: Run, alarm: Alarm) -> Alarm:
    """The alarm, hidden where its equipment is out of service or another alarm explains it."""
    out = await current_out(run.conn, alarm.equipment_id)
    if out:
        return await hide(run.conn, alarm, Suppression.OUT_OF_SERVICE, f"out-of-service/{out[0].out_id}")
    key = (alarm.rule_id, alarm.equipment_id)
    stood = await stood_parents(run, key)
    hidden = run.dependencies.hidden(key, alarm.raised_at, None, stood)
    if hidden is None:
        return alarm
    return await hide(run.conn, alarm, Suppression.DESIGN, hidden.by.name)


async def hide(
    conn: Connection, alarm: Alarm, why: Suppression, by: str, at: datetime | None = None
) -> Alarm:
    """Record it only, from its raising or a later instant on."""
    hidden = moves.hide(alarm, why, by)
    await store.update_alarm(conn, hidden)
    await store.add_event(conn, alarm.alarm_id, AlarmEventKind.SUPPRESSED, SYSTEM, at or alarm.raised_at, by)
    await store.notify_alarms(conn, alarm.alarm_id)
    return hidden


async def release(run: Run, alarm: Alarm, at: datetime) -> None:
    """Into the list, and told unless it has gone meanwhile: nobody has been told yet."""
    shown = moves.release(alarm)
    await store.update_alarm(run.conn, shown)
    note = alarm.suppressed_by or ""
    await store.add_event(run.conn, alarm.alarm_id, AlarmEventKind.RELEASED, SYSTEM, at, note)
    if shown.state.is_active:
        await tell(run, shown)
    else:
        await store.notify_alarms(run.conn, alarm.alarm_id)


async def tell(run: Run, alarm: Alarm) -> None:
    """Queue the messages, open work where it is urgent, and wake the pages."""
    places = {e.equipment_id: e.name.zh_tw for e in run.site.equipment}
    place = places.get(alarm.equipment_id, alarm.equipment_id)
    await queue_alarm(run.conn, alarm, find_texts(alarm.rule_id).name, run.channels, place, run.now)
    await triage(run.conn, alarm, RULES_ACTOR, run.now)
    await store.notify_alarms(run.conn, alarm.alarm_id)


async def release_due(run: Run, until: datetime) -> None:
    """Show what was suppressed by design and still stands although nothing explains it any more."""
    for alarm in await kept.hidden_alarms(run.conn, Suppression.DESIGN.value):
        key = (alarm.rule_id, alarm.equipment_id)
        hidden = run.dependencies.hidden(key, alarm.raised_at, None, await stood_parents(run, key))
        at = alarm.raised_at if hidden is None else hidden.released_at
        if at is not None and at <= until:
            await release(run, alarm, at)


async def end_chatter(run: Run, until: datetime) -> None:
    """Let go of chattering alarms that have been quiet for long enough."""
    for alarm in await kept.latched_alarms(run.conn, until - DELAY_OFF):
        await store.update_alarm(run.conn, moves.return_to_normal(alarm, alarm.latched_at or until))
        await store.add_event(run.conn, alarm.alarm_id, AlarmEventKind.CHATTER_ENDED, SYSTEM, until)
        await store.notify_alarms(run.conn, alarm.alarm_id)


async def end_lapsed(run: Run) -> None:
    """Put equipment back into service whose time is over; show what stands at any that is back."""
    for out in await lapsed_out(run.conn, run.now):
        await end_out(run.conn, out.out_id, run.now, SYSTEM)
    still_out = {f"out-of-service/{out.out_id}" for out in await current_out(run.conn)}
    for alarm in await kept.hidden_alarms(run.conn, Suppression.OUT_OF_SERVICE.value):
        if alarm.suppressed_by not in still_out:
            await release(run, alarm, run.now)


async def release_leaderless(run: Run) -> None:
    """Show what stands grouped under an alarm that has gone, was withdrawn, or is itself out of the list."""
    for alarm in await kept.leaderless_alarms(run.conn):
        await release(run, alarm, run.now)
