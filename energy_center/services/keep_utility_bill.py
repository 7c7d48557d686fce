"""The utility's bills that people enter: kept, audited, each entry with an undo, compared with ours."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from energy_center.domain.people import Actor, Permission, User
from energy_center.domain.timeline import local_date
from energy_center.domain.utility_bills import BillOrigin, EnteredBill
from energy_center.errors import Conflict, Invalid, NotAllowed, NotFound
from energy_center.services.bill_building import month_period
from energy_center.services.bill_questions import check_month, read_bills
from energy_center.services.bill_view import BillView
from energy_center.services.check_utility_bill import Checked
from energy_center.services.current_site import current_site
from energy_center.services.utility_bill import figures_of_csv, is_figure
from energy_center.services.utility_bill_text import FoundFigures, figures_in, pdf_text
from energy_center.store import audit
from energy_center.store import utility_bills as store
from energy_center.store.pool import Connection, Database
from energy_center.tariffs.charges import LineKind

MOST_FIGURES = 60
MOST_ENTRIES = 100
_MOST = Decimal(10) ** 12  # no bill of a building has a larger figure


@dataclass(frozen=True, slots=True)
class KeptMonth:
    """The entries of a month, newest first; `held` is the one that counts, `checked` it beside our bill."""

    held: EnteredBill | None
    entries: tuple[EnteredBill, ...]
    checked: Checked | None


@dataclass(frozen=True, slots=True)
class Imported:
    """An imported file: what was kept, and what the form still asks for."""

    entry: EnteredBill
    not_found: tuple[str, ...]
    ambiguous: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    other_period: bool = False

    @property
    def utility_bill_id(self) -> int:
        """The number of what was kept."""
        return self.entry.utility_bill_id


def wanted_figures(bill: BillView) -> list[str]:
    """What a bill of this tariff shows: its bands, charges and total."""
    bands = dict.fromkeys(line.key for line in bill.lines if line.kind is LineKind.ENERGY)
    demands = dict.fromkeys(band for part in bill.parts for band in part.demand_kw)
    return [
        *(f"energy.{band}" for band in bands),
        *(f"demand.{band}" for band in demands),
        *(["power_factor"] if bill.highest_demand_kw is not None else []),
        *(f"amount.{kind}" for kind in ("basic", "energy", "over_contract", "power_factor")),
        "total",
    ]


async def read_month(db: Database, building_id: str, month: str, now: datetime) -> KeptMonth:
    """What was entered for a month, and what differs; not compared where we have no bill of it."""
    await _building(db, building_id)
    async with db.connection() as connection:
        entries = await store.entries_of(connection, building_id, _first(month), MOST_ENTRIES)
    held = next((entry for entry in entries if entry.undone_at is None), None)
    return KeptMonth(held, tuple(entries), await _compared(db, held, month, now) if held else None)


async def _compared(db: Database, held: EnteredBill, month: str, now: datetime) -> Checked | None:
    try:
        return await check_month(db, held.building_id, month, held.figures, now)
    except NotFound:
        return None


async def keep_bill(
    db: Database,
    building_id: str,
    month: str,
    figures: Mapping[str, Decimal],
    user: User | None,
    actor: Actor,
    now: datetime,
    origin: BillOrigin = BillOrigin.FORM,
) -> EnteredBill:
    """Keep a month's figures in place of what was entered before.

    Raises NotAllowed, Invalid for no or wrong figures and a month to come, NotFound for no such building.
    """
    if user is not None and not user.may(Permission.CORRECT_READINGS):
        raise NotAllowed(f"The role {user.role.value} may not enter bills of the utility.")
    _check_figures(figures)
    on = _first(month)
    if on > local_date(now, ZoneInfo(await _building(db, building_id))):
        raise Invalid(f"The month {month} has not begun")
    async with db.transaction() as connection:
        await store.lock_month(connection, building_id, on)
        before = await _held(connection, building_id, on)
        number = await store.insert_entry(connection, building_id, on, figures, origin, actor.name, now)
        made = await _entry(connection, number)
        await audit.append(
            connection,
            actor,
            "utility_bill.entered",
            f"utility_bill/{number}",
            _facts(before) if before else None,
            _facts(made),
            now,
        )
    return made


async def import_bill(
    db: Database,
    building_id: str,
    month: str,
    file_name: str,
    content: bytes,
    user: User | None,
    actor: Actor,
    now: datetime,
) -> Imported:
    """Keep what a CSV or a PDF of the utility tells. Raises Invalid where it tells nothing of it."""
    is_pdf = content.startswith(b"%PDF")
    told = await asyncio.to_thread(_told, file_name, content, is_pdf=is_pdf)
    wanted = await _wanted(db, building_id, month, now)
    if not told.figures:
        raise Invalid(f"No figure of a bill was found in {file_name}; type the figures in")
    origin = BillOrigin.PDF if is_pdf else BillOrigin.CSV
    entry = await keep_bill(db, building_id, month, told.figures, user, actor, now, origin)
    period = month_period(_first(month))
    other = told.first is not None and (told.first, told.last) != (period.first, period.last)
    not_found = tuple(figure for figure in wanted if figure not in told.figures)
    return Imported(entry, not_found, told.ambiguous, told.first, told.last, other)


async def undo_bill(
    db: Database, utility_bill_id: int, user: User | None, actor: Actor, now: datetime
) -> EnteredBill:
    """Take an entry back; the one before it holds again. Raises Conflict unless it is the one that holds."""
    if user is not None and not user.may(Permission.CORRECT_READINGS):
        raise NotAllowed(f"The role {user.role.value} may not undo bills of the utility.")
    async with db.transaction() as connection:
        found = await _entry(connection, utility_bill_id)
        await store.lock_month(connection, found.building_id, found.month)
        held = await _held(connection, found.building_id, found.month)
        if held is None or held.utility_bill_id != utility_bill_id:
            raise Conflict("Another entry of this month holds now; undo that one first.")
        await store.mark_undone(connection, utility_bill_id, actor.name, now)
        undone = await _entry(connection, utility_bill_id)
        await audit.append(
            connection,
            actor,
            "utility_bill.undone",
            f"utility_bill/{utility_bill_id}",
            _facts(found),
            _facts(undone),
            now,
        )
    return undone


async def _building(db: Database, building_id: str) -> str:
    """Time zone of the site that has the building. Raises NotFound for no such building."""
    site = await current_site(db)
    if building_id not in {space.space_id for space in site.buildings}:
        raise NotFound(f"No building '{building_id}'")
    return site.time_zone


async def _wanted(db: Database, building_id: str, month: str, now: datetime) -> list[str]:
    try:
        (ours,) = await read_bills(db, building_id, month, 1, now)
    except NotFound:
        return []
    return wanted_figures(ours.bill)


def _told(file_name: str, content: bytes, *, is_pdf: bool) -> FoundFigures:
    if is_pdf:
        return figures_in(pdf_text(content))
    try:
        words = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            words = content.decode("big5")
        except UnicodeDecodeError as cause:
            raise Invalid(f"{file_name} is neither a PDF nor text in UTF-8 or Big5") from cause
    return FoundFigures(figures_of_csv(words, file_name))


def _first(month: str) -> date:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError as cause:
        raise Invalid(f"'{month}' is no month; write for example 2026-07") from cause


def _check_figures(figures: Mapping[str, Decimal]) -> None:
    if not figures:
        raise Invalid("No figure of the utility's bill was given")
    if len(figures) > MOST_FIGURES:
        raise Invalid(f"At most {MOST_FIGURES} figures, found {len(figures)}")
    for name, amount in figures.items():
        if not is_figure(name) or (name.startswith("amount.") and name[7:] not in set(LineKind)):
            raise Invalid(
                f"'{name}' is no figure of a bill; allowed are energy.peak, amount.basic, total and such"
            )
        if not amount.is_finite() or abs(amount) >= _MOST:
            raise Invalid(f"{name}: {amount} is out of range")


async def _held(connection: Connection, building_id: str, month: date) -> EnteredBill | None:
    entries = await store.entries_of(connection, building_id, month, MOST_ENTRIES)
    return next((entry for entry in entries if entry.undone_at is None), None)


async def _entry(connection: Connection, utility_bill_id: int) -> EnteredBill:
    found = await store.entry(connection, utility_bill_id)
    if found is None:
        raise NotFound("There is no such entry.", utility_bill_id=utility_bill_id)
    return found


def _facts(entry: EnteredBill) -> Mapping[str, object]:
    return {
        "building": entry.building_id,
        "month": f"{entry.month:%Y-%m}",
        "origin": entry.origin.value,
        "figures": {name: str(amount) for name, amount in entry.figures.items()},
        "undone": entry.undone_at is not None,
    }
