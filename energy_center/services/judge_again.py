"""Readings that came late: what the rules would have found with them, brought in step with what was told.

The history of an alarm is only added to. A stretch that late readings show is written with its true times
and marked as found late; one that they disprove is withdrawn; one whose times move is corrected.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from energy_center.domain import alarms as moves
from energy_center.domain.alarms import Alarm, AlarmEventKind, AlarmId, AlarmState
from energy_center.rules.engine import Change, ChangeKind
from energy_center.rules.window import from_micros
from energy_center.services.change_alarm import (
    Finding,
    evidence_of,
    insert_finding,
    raise_alarm,
    suggestion_of,
)
from energy_center.services.hide_alarms import SYSTEM, Run, hide_if_needed
from energy_center.store import alarms as store
from energy_center.store.alarm_stretches import Stretch, correction, stretches

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Found:
    """A stretch that the second judgement gives; `change` raised it, None when it stood before."""

    stretch: Stretch
    change: Change | None


async def reconcile(run: Run, finding: Finding) -> None:
    """Bring the alarms of one rule at one equipment in step over the time that was judged again."""
    if finding.judged_again is None:
        return
    start, end = finding.judged_again
    key = (finding.binding.rule.rule_id, finding.binding.equipment.equipment_id)
    told = [
        s for s in await stretches(run.conn, [key[0]], start, key[1])
        if s.raised_at <= end and (s.returned_at is None or s.returned_at > start)
    ]  # fmt: skip
    before = next((s for s in told if s.raised_at <= start), None)
    found = _found(finding, before, end)
    told, found = _differing(told, found, end)
    pairs, new, gone = _paired(told, found)
    for stretch in gone:
        await _withdraw(run, stretch)
    for old, now_so in pairs:
        await _correct(run, old, now_so.stretch)
    for late in new:
        await _find_late(run, finding, late)


def _found(finding: Finding, before: Stretch | None, end: datetime) -> list[_Found]:
    key = (finding.binding.rule.rule_id, finding.binding.equipment.equipment_id)
    open_ = None if before is None else _Found(replace(before, returned_at=None), None)
    found: list[_Found] = []
    for change in finding.changes:
        at = from_micros(change.at)
        if at > end:
            break
        if change.kind is ChangeKind.RAISED:
            open_ = _Found(Stretch(AlarmId(0), *key, from_micros(change.onset), at, None), change)
        elif change.kind is ChangeKind.RETURNED and open_ is not None:
            found.append(replace(open_, stretch=replace(open_.stretch, returned_at=at)))
            open_ = None
    return [*found, *([] if open_ is None else [open_])]


def _times(stretch: Stretch, end: datetime) -> tuple[datetime, datetime, datetime | None]:
    """What is compared; an end after the time that was judged again is not known here."""
    returned = stretch.returned_at
    return stretch.onset_at, stretch.raised_at, None if returned is None or returned > end else returned


def _differing(
    told: Sequence[Stretch], found: Sequence[_Found], end: datetime
) -> tuple[list[Stretch], list[_Found]]:
    both = {_times(s, end) for s in told} & {_times(f.stretch, end) for f in found}
    return (
        [s for s in told if _times(s, end) not in both],
        [f for f in found if _times(f.stretch, end) not in both],
    )


def _paired(
    told: Sequence[Stretch], found: Sequence[_Found]
) -> tuple[list[tuple[Stretch, _Found]], list[_Found], list[Stretch]]:
    """Those that overlap are the same with other times; the others are new, or gone."""
    left, pairs, new = list(told), [], []
    for one in found:
        match = next((s for s in left if _overlap(s, one.stretch)), None)
        if match is None:
            new.append(one)
        else:
            left.remove(match)
            pairs.append((match, one))
    return pairs, new, left


def _overlap(a: Stretch, b: Stretch) -> bool:
    ends_after = a.returned_at is None or a.returned_at >= b.onset_at
    return ends_after and (b.returned_at is None or b.returned_at >= a.onset_at)


async def _withdraw(run: Run, stretch: Stretch) -> None:
    alarm = await store.lock_alarm(run.conn, stretch.alarm_id)
    if alarm is None:
        return
    note = stretch.raised_at.isoformat()
    await store.add_event(run.conn, alarm.alarm_id, AlarmEventKind.WITHDRAWN, SYSTEM, run.now, note)
    others = [
        s
        for s in await stretches(run.conn, [alarm.rule_id], alarm.raised_at - TICK, alarm.equipment_id)
        if s.alarm_id == alarm.alarm_id
    ]
    if not others:
        await store.update_alarm(run.conn, moves.withdraw(alarm, run.now))
    elif stretch.returned_at is None:
        ended = max(s.returned_at or run.now for s in others)
        await store.update_alarm(run.conn, moves.return_to_normal(alarm, ended))
    await store.notify_alarms(run.conn, alarm.alarm_id)


async def _correct(run: Run, old: Stretch, new: Stretch) -> None:
    alarm = await store.lock_alarm(run.conn, old.alarm_id)
    if alarm is None:
        return
    after = _with_times(alarm, old, new)
    await store.update_alarm(run.conn, after)
    words = correction(old, new)
    await store.add_event(
        run.conn, alarm.alarm_id, AlarmEventKind.CORRECTED, SYSTEM, run.now, words, new.onset_at
    )
    await store.notify_alarms(run.conn, alarm.alarm_id)


def _with_times(alarm: Alarm, old: Stretch, new: Stretch) -> Alarm:
    if alarm.raised_at == old.raised_at:
        alarm = replace(alarm, onset_at=new.onset_at, raised_at=new.raised_at)
    if new.returned_at is not None:
        if old.returned_at is None:
            return moves.return_to_normal(alarm, new.returned_at)
        return replace(alarm, returned_at=new.returned_at)
    return moves.resume(alarm) if old.returned_at is not None else alarm


async def _find_late(run: Run, finding: Finding, late: _Found) -> None:
    if late.change is None:
        return  # it stood before, and a person has closed it since
    alarm = await store.open_alarm(run.conn, *_key(finding))
    if late.stretch.returned_at is None:
        await raise_alarm(run, finding, late.change, alarm, late=True)
        return
    await _record(run, finding, late, is_open=alarm is not None)


async def _record(run: Run, finding: Finding, late: _Found, *, is_open: bool) -> None:
    """It has ended already: written down, told to nobody, to be seen unless another one is open."""
    change, returned = late.change, late.stretch.returned_at
    if change is None or returned is None:
        return
    evidence, suggestion = evidence_of(finding, change), suggestion_of(run.site, finding, change)
    state = AlarmState.NORMAL if is_open else AlarmState.RETURNED_UNACKNOWLEDGED
    alarm = await insert_finding(
        run, finding, change, evidence, suggestion, late=True, ended=(state, returned)
    )
    kinds = ((AlarmEventKind.RAISED, late.stretch.raised_at), (AlarmEventKind.RETURNED, returned))
    for kind, at in kinds:
        onset = late.stretch.onset_at if kind is AlarmEventKind.RAISED else None
        await store.add_event(run.conn, alarm.alarm_id, kind, SYSTEM, at, "", onset)
    if state.is_open:
        hidden = await hide_if_needed(run, alarm)
        if hidden.is_hidden:
            await store.update_alarm(run.conn, replace(hidden, state=AlarmState.NORMAL))
    await store.notify_alarms(run.conn, alarm.alarm_id)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.binding.rule.rule_id, finding.binding.equipment.equipment_id
