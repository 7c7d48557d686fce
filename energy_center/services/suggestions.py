"""What people ask and decide about suggested savings. Every decision is audited."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.domain import suggestions as moves
from energy_center.domain.people import Actor
from energy_center.domain.site import Text
from energy_center.domain.suggestions import Suggestion, SuggestionRun, SuggestionState
from energy_center.errors import Conflict, Invalid, NotFound
from energy_center.services.current_site import current_site
from energy_center.services.measures import LONGEST_NAME, WantedMeasure, create_measure
from energy_center.store import audit
from energy_center.store import suggestions as store
from energy_center.store.measures import measure_of_suggestion
from energy_center.store.pool import Database
from energy_center.suggestions.find_measures import measures
from energy_center.suggestions.measure import Kind, Measure

__all__ = [
    "Kind",
    "SuggestionList",
    "SuggestionRow",
    "accept",
    "decline",
    "get_suggestion",
    "list_suggestions",
    "measure_name",
    "reopen",
]

LONGEST_REASON = 500
MOST_DAYS = 3_660
DECLINED_DAYS = 365


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """With the names of its building and subject, and its measure (None: no longer in the catalogue)."""

    suggestion: Suggestion
    building: Text
    subject: Text
    measure: Measure | None


@dataclass(frozen=True, slots=True)
class SuggestionList:
    """Rows, most money first, and the newest reckoning of each building with its name."""

    rows: tuple[SuggestionRow, ...]
    runs: tuple[tuple[Text, SuggestionRun], ...]


async def list_suggestions(
    db: Database,
    states: Sequence[SuggestionState],
    building_id: str | None = None,
    alarm_id: int | None = None,
    limit: int = 500,
) -> SuggestionList:
    """Suggestions in these states; empty before the first reckoning."""
    async with db.connection() as conn:
        found = await store.listed_suggestions(conn, states, building_id, alarm_id, limit)
        runs = await store.suggestion_runs(conn)
    names = await _names(db)
    return SuggestionList(
        tuple(_row(s, names) for s in found),
        tuple(
            (names(run.building_id), run)
            for run in runs
            if building_id is None or run.building_id == building_id
        ),
    )


async def get_suggestion(db: Database, suggestion_id: int) -> SuggestionRow:
    """One. Raises NotFound."""
    async with db.connection() as conn:
        found = await store.one_suggestion(conn, suggestion_id)
    if found is None:
        raise NotFound(f"No suggestion {suggestion_id}.")
    return _row(found, await _names(db))


async def accept(db: Database, suggestion_id: int, actor: Actor, now: datetime) -> Suggestion:
    """It becomes a measure, where its energy can be verified at meters.

    Raises NotFound, or Conflict unless it is proposed.
    """
    row = await get_suggestion(db, suggestion_id)
    moves.accept(row.suggestion, actor.name, now)  # refuses before a measure is made
    wanted = _measure_of(row)
    if wanted is not None:
        await create_measure(db, wanted, actor, now)
    return await _change(db, suggestion_id, actor, now, lambda s: moves.accept(s, actor.name, now))


def _measure_of(row: SuggestionRow) -> WantedMeasure | None:
    """None for what saves money or water alone: no electricity meter will show it."""
    held, meters = row.suggestion, row.suggestion.evidence.get("meters", [])
    if held.energy_kwh <= 0 or not meters:
        return None
    name, subject = measure_name(held.measure_id), held.subject_id.partition("/")[0]
    words = row.measure.texts["zh-TW"].made if row.measure else ""
    return WantedMeasure(
        name=f"{name.zh_tw} {name.en}: {row.subject.zh_tw}"[:LONGEST_NAME],
        meter=" + ".join(meters),
        description=words,
        equipment_id=subject if subject != held.building_id else None,
        suggestion_id=int(held.suggestion_id),
        cost_ntd=held.cost_ntd,
        expected_kwh_per_year=held.energy_kwh,
    )


async def decline(
    db: Database, suggestion_id: int, actor: Actor, now: datetime, reason: str, days: int = DECLINED_DAYS
) -> Suggestion:
    """It is not raised again for so many days. Raises Invalid without a reason, NotFound and Conflict."""
    if not reason.strip():
        raise Invalid("Say why it is declined.")
    until = now + timedelta(days=days)
    return await _change(
        db, suggestion_id, actor, now, lambda s: moves.decline(s, actor.name, now, reason.strip(), until)
    )


async def reopen(db: Database, suggestion_id: int, actor: Actor, now: datetime) -> Suggestion:
    """Propose it again. Raises NotFound, or Conflict unless it is declined, or accepted without a measure."""
    async with db.connection() as conn:
        measure = await measure_of_suggestion(conn, suggestion_id)
    if measure is not None:
        raise Conflict(f"It is measure {measure.measure_id} already; drop that first.")
    return await _change(db, suggestion_id, actor, now, lambda s: moves.reopen(s, actor.name, now))


def measure_name(measure_id: str) -> Text:
    """What the measure is called; its id where the catalogue no longer has it."""
    entry = measures().get(measure_id)
    if entry is None:
        return Text(measure_id, measure_id)
    return Text(entry.measure.texts["zh-TW"].name, entry.measure.texts["en"].name)


async def _change(
    db: Database,
    suggestion_id: int,
    actor: Actor,
    now: datetime,
    move: Callable[[Suggestion], Suggestion],
) -> Suggestion:
    async with db.transaction() as conn:
        before = await store.one_suggestion(conn, suggestion_id, lock=True)
        if before is None:
            raise NotFound(f"No suggestion {suggestion_id}.")
        after = move(before)
        await store.update_suggestion(conn, after)
        await audit.append(
            conn,
            actor,
            f"suggestion {after.state.value}",
            f"suggestion/{suggestion_id}",
            _audited(before),
            _audited(after),
            now,
        )
    return after


def _audited(held: Suggestion) -> dict[str, object]:
    return {"state": held.state.value, "reason": held.reason, "until": held.declined_until}


async def _names(db: Database) -> Callable[[str], Text]:
    """Names of spaces and equipment; a subject `equipment/rule` has that of the equipment."""
    site = await current_site(db)
    known = {s.space_id: s.name for s in site.spaces} | {e.equipment_id: e.name for e in site.equipment}

    def name(subject_id: str) -> Text:
        first = subject_id.partition("/")[0]
        return known.get(first, Text(first, first))

    return name


def _row(found: Suggestion, names: Callable[[str], Text]) -> SuggestionRow:
    entry = measures().get(found.measure_id)
    return SuggestionRow(
        found, names(found.building_id), names(found.subject_id), entry.measure if entry else None
    )
