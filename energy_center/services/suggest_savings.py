"""The daily reckoning of savings: every building's past through the catalogue, kept as suggestions."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import numpy as np

from energy_center.domain.alarms import AlarmId
from energy_center.domain.people import Actor
from energy_center.domain.suggestions import (
    Suggestion,
    SuggestionId,
    SuggestionRun,
    SuggestionState,
    found_again,
)
from energy_center.errors import NotFound
from energy_center.services.current_site import current_site
from energy_center.services.read_savings_history import read_savings_history, waste_a_day
from energy_center.store import audit
from energy_center.store import suggestions as store
from energy_center.store.alarms import listed_alarms
from energy_center.store.pool import Connection, Database
from energy_center.suggestions.appraise import Appraisal, Appraised, appraise
from energy_center.suggestions.find_measures import measures
from energy_center.suggestions.history import History
from energy_center.suggestions.measure import GOOD_COVERAGE
from energy_center.suggestions.overlap import uppermost

EVERY = timedelta(hours=24)
AFTER_ALARM = timedelta(hours=1)
WHILE_INCOMPLETE = timedelta(minutes=10)  # history may still be coming in
SUGGESTER = Actor("suggestions", "worker")
_UNSAVED = SuggestionId(0)


async def suggest_due(db: Database, now: datetime) -> int:
    """Reckon the buildings that are due: daily, soon after an alarm, often until the year is there."""
    try:
        site = await current_site(db)
    except NotFound:
        return 0
    async with db.connection() as conn:
        runs = {run.building_id: run for run in await store.suggestion_runs(conn)}
        standing = await listed_alarms(conn, open_only=True, limit=500)
    raised: dict[str | None, datetime] = {}
    for row in standing:
        if waste_a_day(row) != (None, None):
            held = raised.get(row.building_id, row.alarm.raised_at)
            raised[row.building_id] = max(held, row.alarm.raised_at)
    due = [b.space_id for b in site.buildings if is_due(runs.get(b.space_id), raised.get(b.space_id), now)]
    for building_id in due:
        await suggest_savings(db, building_id, now)
    return len(due)


def is_due(run: SuggestionRun | None, raised_at: datetime | None, now: datetime) -> bool:
    """Whether a building is to be reckoned; `raised_at` is that of its newest alarm with a waste."""
    if run is None:
        return True
    if run.coverage < GOOD_COVERAGE:
        return now - run.computed_at >= WHILE_INCOMPLETE
    is_new = raised_at is not None and raised_at > run.computed_at
    return now - run.computed_at >= (AFTER_ALARM if is_new else EVERY)


async def suggest_savings(db: Database, building_id: str, now: datetime) -> Appraisal:
    """Reckon one building and write what came of it. Raises NotFound for an unknown building."""
    history = await read_savings_history(db, building_id, now)
    # a year of quarter-hours through all measures is a second of numerics
    appraisal = await asyncio.to_thread(appraise, history, list(measures().values()))
    made = [suggestion_of(found, building_id, now, history.parents) for found in appraisal.found]
    async with db.transaction() as conn:
        changed = await _write(conn, building_id, made, now)
        await store.write_run(conn, _run(history, appraisal, now))
        for before, after in changed:
            subject = f"suggestion/{after.suggestion_id}"
            state = {"state": before.state.value} if before else None
            await audit.append(
                conn, SUGGESTER, f"suggestion {after.state.value}", subject, state, _audited(after), now
            )
    return appraisal


def _audited(made: Suggestion) -> dict[str, object]:
    return {
        "measure": made.measure_id,
        "subject": made.subject_id,
        "state": made.state.value,
        "energy_kwh": round(made.energy_kwh),
        "money_ntd": None if made.money_ntd is None else round(made.money_ntd),
    }


async def _write(
    conn: Connection, building_id: str, made: list[Suggestion], now: datetime
) -> list[tuple[Suggestion | None, Suggestion]]:
    """What changed its state, with the state before."""
    old = {(s.measure_id, s.subject_id): s for s in await store.lock_building(conn, building_id)}
    changed: list[tuple[Suggestion | None, Suggestion]] = []
    for new in made:
        before = old.pop((new.measure_id, new.subject_id), None)
        if before is None:
            kept = replace(new, suggestion_id=await store.insert_suggestion(conn, new))
        else:
            kept = found_again(before, new)
            await store.update_suggestion(conn, kept)
        if before is None or before.state is not kept.state:
            changed.append((before, kept))
    for gone in old.values():
        if gone.state is SuggestionState.PROPOSED:
            expired = replace(gone, state=SuggestionState.EXPIRED, computed_at=now)
            await store.update_suggestion(conn, expired)
            changed.append((gone, expired))
    return changed


def suggestion_of(
    found: Appraised, building_id: str, now: datetime, parents: Mapping[str, str]
) -> Suggestion:
    """The row of what was found; its meters are those that will show it, each energy once."""
    draft = found.draft
    meters = uppermost({*draft.saved, *(move.meter_id for move in draft.moves)}, parents)
    return Suggestion(
        suggestion_id=_UNSAVED,
        building_id=building_id,
        measure_id=found.measure.measure_id,
        subject_id=draft.subject_id,
        state=SuggestionState.PROPOSED,
        first_at=now,
        computed_at=now,
        energy_kwh=round(found.energy_kwh, 1) + 0.0,
        money_ntd=None if found.money_ntd is None else round(found.money_ntd, 1),
        carbon_kg=round(found.carbon_kg, 1) + 0.0,
        water_m3=None if draft.water_m3 is None else round(draft.water_m3, 1),
        cost_ntd=draft.cost_ntd,
        payback_years=None if found.payback_years is None else round(found.payback_years, 1),
        counted_kwh=round(found.counted_kwh, 1),
        confidence=draft.confidence.value,
        coverage=round(draft.coverage, 4),
        alarm_id=None if draft.alarm_id is None else AlarmId(draft.alarm_id),
        evidence={
            "figures": {name: round(value, 4) for name, value in draft.figures.items()},
            "numbers": dict(found.parameters),
            "bars": asdict(found.bars) if found.bars else None,
            "meters": meters,
            "reason": {"zh-TW": draft.reason.zh_tw, "en": draft.reason.en},
        },
    )


def _run(history: History, appraisal: Appraisal, now: datetime) -> SuggestionRun:
    main = history.main_meter()
    coverage = float(np.mean(~np.isnan(history.power_kw[main]))) if main else 0.0
    return SuggestionRun(
        history.space.space_id,
        now,
        coverage,
        asdict(appraisal.together),
        appraisal.not_known,
    )
