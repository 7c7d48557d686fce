"""Recurring duties: taking them on, recording what was done, the year's view and what is due."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from energy_center.config.load_duties import shipped_duties
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.duties import Deed, Due, Duty, Standing, check_recurrence, dues, standing
from energy_center.domain.duty_records import Adoption, DutyRecord, Paper, missing_papers
from energy_center.domain.people import Actor
from energy_center.domain.site import Site, Text
from energy_center.domain.timeline import local_date
from energy_center.errors import Conflict, Invalid, NotFound
from energy_center.services.current_site import current_site
from energy_center.store import attachments, audit
from energy_center.store import duties as store
from energy_center.store.pool import Connection, Database

LONGEST_GAP = timedelta(days=3 * 366)  # the longest interval of a duty; how far back an overdue one is sought


@dataclass(frozen=True, slots=True)
class DueDate:
    """One due date with where it stands, and what was recorded for it."""

    due: Due
    standing: Standing
    record: DutyRecord | None


@dataclass(frozen=True, slots=True)
class AdoptedDuty:
    """A duty taken on, what it is done for, and its due dates in the period asked for."""

    adoption: Adoption
    duty: Duty
    subject_name: Text
    dates: tuple[DueDate, ...]


@dataclass(frozen=True, slots=True)
class Compliance:
    """How a period's due dates stand; `kept_share` 0..1 is done in time over all due and not waived.

    `kept_share` is None while nothing of the period was due.
    """

    counts: Mapping[Standing, int]
    kept_share: float | None


@dataclass(frozen=True, slots=True)
class WantedDeed:
    """What was done for one due date, or why it was left."""

    due_on: date
    done_on: date
    is_waived: bool
    done_by: str
    note: str
    papers: tuple[Paper, ...]


async def adopt(
    db: Database,
    duty_id: str,
    subject_id: str,
    starts_on: date,
    actor: Actor,
    now: datetime,
    *,
    recurrence: str | None = None,
    responsible: str = "",
) -> Adoption:
    """Take a duty on for a space, an equipment or a thing by name; `recurrence` where it differs.

    Raises NotFound for an unknown duty, Invalid for a wrong recurrence, Conflict where it is taken on.
    """
    duty = _shipped(duty_id)
    rule = _checked(recurrence or duty.recurrence)
    if not subject_id.strip():
        raise Invalid("Say what the duty is done for.", field="subject_id")
    async with db.transaction() as conn:
        made = await store.insert_adoption(
            conn, duty_id, subject_id.strip(), starts_on, rule, responsible, actor.name, now
        )
        if made is None:
            raise Conflict("This duty is taken on for it already.", duty_id=duty_id, subject_id=subject_id)
        await _audit(conn, actor, "duty.adopted", None, made, now)
    return made


async def change_adoption(
    db: Database,
    adoption_id: int,
    version: int,
    actor: Actor,
    now: datetime,
    *,
    starts_on: date | None = None,
    recurrence: str | None = None,
    responsible: str | None = None,
    is_retired: bool | None = None,
) -> Adoption:
    """Change what is given, where nobody changed it since `version`; retiring is taken back in the same way.

    Raises NotFound, Invalid, and Conflict where somebody was quicker or it is taken on anew.
    """
    async with db.transaction() as conn:
        before = await _held(conn, adoption_id)
        if before.version != version:
            raise Conflict(
                "Somebody changed it meanwhile; look at it again.", version=before.version, sent=version
            )
        retired_at = before.retired_at
        if is_retired is not None:
            retired_at = (before.retired_at or now) if is_retired else None
        wanted = replace(
            before,
            starts_on=starts_on or before.starts_on,
            recurrence=_checked(recurrence) if recurrence else before.recurrence,
            responsible=before.responsible if responsible is None else responsible,
            retired_at=retired_at,
        )
        after = await store.update_adoption(conn, wanted)
        if after is None:
            raise Conflict("This duty is taken on for it anew.", duty_id=before.duty_id)
        await _audit(conn, actor, "duty.changed", before, after, now)
    return after


async def record(
    db: Database, adoption_id: int, wanted: WantedDeed, actor: Actor, now: datetime
) -> DutyRecord:
    """Record what was done for a due date.

    Raises NotFound; Invalid where it is no due date, lies ahead, lacks papers, or is waived without a reason;
    Conflict where something is recorded for it already.
    """
    site = await current_site(db)
    today = local_date(now, ZoneInfo(site.time_zone))
    async with db.transaction() as conn:
        adoption = await _held(conn, adoption_id)
        _check_deed(adoption, wanted, today, GovernmentCalendar(site.holidays_of_country))
        await _check_files(conn, wanted.papers)
        deed = Deed(wanted.due_on, wanted.done_on, wanted.is_waived)
        deed_id = await store.insert_deed(
            conn,
            adoption_id,
            deed,
            wanted.done_by.strip(),
            wanted.note.strip(),
            wanted.papers,
            actor.name,
            now,
        )
        if deed_id is None:
            raise Conflict("Something is recorded for this date already; undo that first.")
        made = await _record(conn, deed_id)
        action = "duty.waived" if deed.is_waived else "duty.done"
        await audit.append(conn, actor, action, f"duty/{adoption_id}", None, _facts(made), now)
    return made


def _check_deed(adoption: Adoption, wanted: WantedDeed, today: date, calendar: GovernmentCalendar) -> None:
    duty = _as_adopted(adoption)
    day_after = wanted.due_on + timedelta(days=1)
    due = next(dues(duty, adoption.starts_on, wanted.due_on, day_after, calendar), None)
    if due is None:
        raise Invalid(f"{wanted.due_on} is no due date of {adoption.duty_id}.", field="due_on")
    if wanted.is_waived:
        if not wanted.note.strip():
            raise Invalid("Leaving a duty undone needs a reason.", field="note")
        return
    if wanted.done_on > today:
        raise Invalid("The day on which it was done lies ahead.", field="done_on")
    if wanted.done_on < due.opens_on:
        raise Invalid(f"Done before {due.opens_on} it does not count for {due.due_on}.", field="done_on")
    if missing := missing_papers(duty, wanted.papers):
        raise Invalid(f"Papers are missing: {', '.join(missing)}.", field="papers")


async def _check_files(conn: Connection, papers: tuple[Paper, ...]) -> None:
    asked = [paper.attachment_id for paper in papers if paper.attachment_id is not None]
    unknown = set(asked) - await attachments.known_attachments(conn, asked)
    if unknown:
        raise Invalid(f"There is no file {', '.join(map(str, sorted(unknown)))}.", field="papers")


async def undo(db: Database, deed_id: int, actor: Actor, now: datetime) -> DutyRecord:
    """Take a record back; the due date stands as before. Raises NotFound, Conflict where it is undone."""
    async with db.transaction() as conn:
        before = await _record(conn, deed_id)
        if before.undone_at is not None:
            raise Conflict("It is undone already.", deed_id=deed_id)
        await store.mark_undone(conn, deed_id, actor.name, now)
        after = await _record(conn, deed_id)
        subject = f"duty/{before.adoption_id}"
        await audit.append(conn, actor, "duty.undone", subject, _facts(before), _facts(after), now)
    return after


async def read_year(db: Database, year: int, now: datetime) -> list[AdoptedDuty]:
    """Every duty with its due dates in a year of the site's calendar; of retired ones what was done."""
    return await _between(db, date(year, 1, 1), date(year + 1, 1, 1), now)


async def read_due(db: Database, ahead: timedelta, now: datetime) -> list[AdoptedDuty]:
    """The duties with a date that is overdue, in grace, or open and due within `ahead`; most urgent first."""
    site = await current_site(db)
    today = local_date(now, ZoneInfo(site.time_zone))
    found = await _between(db, today - LONGEST_GAP, today + ahead + timedelta(days=1), now)
    asked = {Standing.OVERDUE, Standing.IN_GRACE, Standing.OPEN}
    kept = [replace(row, dates=tuple(d for d in row.dates if d.standing in asked)) for row in found]
    return sorted((row for row in kept if row.dates), key=lambda row: row.dates[0].due.due_on)


async def read_adopted(
    db: Database, adoption_id: int, first_year: int, end_year: int, now: datetime
) -> AdoptedDuty | None:
    """One duty taken on with its due dates in the years [first_year, end_year); None where there is none."""
    rows = await _between(db, date(first_year, 1, 1), date(end_year, 1, 1), now, adoption_id)
    return rows[0] if rows else None


def compliance(rows: list[AdoptedDuty]) -> Compliance:
    """What a period's due dates come to."""
    counts = Counter(at.standing for row in rows for at in row.dates)
    was_due = counts[Standing.DONE] + counts[Standing.DONE_LATE] + counts[Standing.OVERDUE]
    return Compliance(dict(counts), counts[Standing.DONE] / was_due if was_due else None)


async def _between(
    db: Database, first: date, end: date, now: datetime, only: int | None = None
) -> list[AdoptedDuty]:
    """Due dates in [first, end) of every duty, or of the one numbered `only`."""
    site = await current_site(db)
    today = local_date(now, ZoneInfo(site.time_zone))
    calendar = GovernmentCalendar(site.holidays_of_country)
    names = _names(site)
    async with db.connection() as conn:
        adoptions = await store.list_adoptions(conn, only)
        records: dict[int, dict[date, DutyRecord]] = {}
        for found in await store.records_between(conn, first, end):
            records.setdefault(found.adoption_id, {})[found.deed.due_on] = found
    rows = []
    for adoption in adoptions:
        duty = _as_adopted(adoption)
        held = records.get(adoption.adoption_id, {})
        if adoption.retired_at is not None and not held:
            continue
        due_dates = _due_dates(adoption, duty, first, end, calendar)
        # what was done stays to be seen after its due date has moved with the rule or the calendar
        due_dates = {on: _due_once(duty, on) for on in held} | due_dates
        dates = [
            DueDate(due, standing(due, held[on].deed if on in held else None, today), held.get(on))
            for on, due in sorted(due_dates.items())
        ]
        name = names.get(adoption.subject_id, Text(adoption.subject_id, adoption.subject_id))
        rows.append(AdoptedDuty(adoption, duty, name, tuple(dates)))
    return rows


def _due_dates(
    adoption: Adoption, duty: Duty, first: date, end: date, calendar: GovernmentCalendar
) -> dict[date, Due]:
    """None of a duty that is retired: of that only what was done is left to be shown."""
    if adoption.retired_at is not None:
        return {}
    return {due.due_on: due for due in dues(duty, adoption.starts_on, first, end, calendar)}


def _due_once(duty: Duty, on: date) -> Due:
    return Due(on, on - timedelta(days=duty.opens_days), on + timedelta(days=duty.grace_days))


def _names(site: Site) -> dict[str, Text]:
    """Spaces by their names, equipment by its building's and its own: two buildings have a generator each."""
    spaces = {space.space_id: space.name for space in site.spaces}
    names = dict(spaces)
    for equipment in site.equipment:
        building = spaces.get(site.building_of(equipment.space_id) or "")
        name = equipment.name
        names[equipment.equipment_id] = (
            Text(f"{building.zh_tw} {name.zh_tw}", f"{building.en}, {name.en}") if building else name
        )
    return names


def _shipped(duty_id: str) -> Duty:
    duty = shipped_duties().get(duty_id)
    if duty is None:
        raise NotFound(f"No duty '{duty_id}'; there are: {', '.join(sorted(shipped_duties()))}")
    return duty


def _as_adopted(adoption: Adoption) -> Duty:
    return replace(_shipped(adoption.duty_id), recurrence=adoption.recurrence)


def _checked(rule: str) -> str:
    try:
        check_recurrence(rule)
    except ValueError as cause:
        raise Invalid(f"{cause}.", field="recurrence") from cause
    return rule


async def _held(conn: Connection, adoption_id: int) -> Adoption:
    found = await store.lock_adoption(conn, adoption_id)
    if found is None:
        raise NotFound("There is no such duty.", adoption_id=adoption_id)
    return found


async def _record(conn: Connection, deed_id: int) -> DutyRecord:
    found = await store.lock_record(conn, deed_id)
    if found is None:
        raise NotFound("There is no such record.", deed_id=deed_id)
    return found


async def _audit(
    conn: Connection, actor: Actor, action: str, before: Adoption | None, after: Adoption, now: datetime
) -> None:
    earlier = None if before is None else _state(before)
    await audit.append(conn, actor, action, f"duty/{after.adoption_id}", earlier, _state(after), now)


def _state(adoption: Adoption) -> dict[str, object]:
    return {
        "duty": adoption.duty_id,
        "for": adoption.subject_id,
        "starts_on": adoption.starts_on.isoformat(),
        "recurrence": adoption.recurrence,
        "responsible": adoption.responsible,
        "retired": adoption.retired_at is not None,
    }


def _facts(found: DutyRecord) -> dict[str, object]:
    return {
        "due_on": found.deed.due_on.isoformat(),
        "done_on": found.deed.done_on.isoformat(),
        "waived": found.deed.is_waived,
        "done_by": found.done_by,
        "note": found.note,
        "papers": [f"{p.kind.value}: {p.reference or f'attachment/{p.attachment_id}'}" for p in found.papers],
        "undone": found.undone_at is not None,
    }
