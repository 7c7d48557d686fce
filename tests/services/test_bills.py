"""Bills of a building from a real database, by service and by API."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from dashboards.pages.bills import draw
from dashboards.request import PageRequest
from energy_center.domain.people import Actor, User, UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from energy_center.errors import NotFound
from energy_center.services.bill_questions import read_bills, read_contract, read_plans
from energy_center.services.meter_events import WantedExchange, record_exchange
from energy_center.store.pool import Database
from energy_center.store.readings import note_sampling
from energy_center.store.rollups import roll_up
from energy_center.tariffs.bill_model import NoteKind
from energy_center.tariffs.charges import LineKind
from tests.services.city_hall import NOW, applied, every, point_of, write

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]
# local midnight of 30 September and 2 November 2026
START, END = datetime(2026, 9, 29, 16, tzinfo=UTC), datetime(2026, 11, 1, 16, tzinfo=UTC)


async def metered(db: Database, power_kw: float, gap: tuple[datetime, datetime] | None = None) -> None:
    """October of a constant load, a register reading every quarter-hour."""
    site = await applied(db)
    times = [at for at in every(START, END, 900) if gap is None or not gap[0] < at < gap[1]]
    register = 50_000 + power_kw * np.array([(at - START).total_seconds() / 3600 for at in times])
    point = point_of(site, "main", Role.ENERGY_IMPORT)
    async with db.connection() as connection:
        await note_sampling(connection, [point.point_id], START, 900.0)
    await write(db, point.point_id, times, register)
    while await roll_up(db, site.time_zone, NOW):
        pass


async def test_october_of_a_constant_load(database: Database):
    """200 kW; summer ends on the 15th, 10-10 is off-peak though a Saturday, the 9th is an ordinary Friday.

    1st to 15th: 66 h x 9.39 + 99 h x 5.85 + 15 h x 2.60 + 180 h x 2.53, x 200 kW = 338,658.00
    16th to 31st: 165 h x 5.47 + 45 h x 2.41 + 174 h x 2.32, x 200 kW = 282,936.00
    Basic: 500 kW x (223.60 x 15/31 + 166.90 x 16/31) = 97,167.7419; all x 1.017 = 730,980.69
    """
    await metered(database, 200.0)
    (found,) = await read_bills(database, "hall", None, 1, NOW)
    assert (found.bill.first.isoformat(), found.bill.last.isoformat()) == ("2026-10-01", "2026-10-31")
    assert found.bill.energy == 148_800
    assert found.bill.total == 730_981
    assert found.bill.coverage == pytest.approx(1.0)
    assert not found.bill.is_provisional
    assert found.meter_id == "main"
    assert {note.kind for note in found.bill.notes} == {NoteKind.NO_POWER_FACTOR, NoteKind.SPLIT}


async def test_a_gap_of_a_day_makes_the_bill_provisional(database: Database):
    gap = (datetime(2026, 10, 19, 16, tzinfo=UTC), datetime(2026, 10, 20, 16, tzinfo=UTC))
    await metered(database, 200.0, gap)
    (found,) = await read_bills(database, "hall", "2026-10", 1, NOW)
    assert found.bill.is_provisional
    assert found.bill.coverage == pytest.approx(30 / 31, abs=0.001)
    (missing,) = found.bill.missing
    assert missing == gap
    assert found.bill.energy == 148_800  # the register knows what ran during the gap
    assert found.bill.highest_demand_kw == 200  # and no demand appears where readings begin again


@pytest.mark.parametrize(
    ("before", "quality", "is_dropped"),
    [
        (timedelta(0), Quality.GOOD, False),
        (timedelta(0), Quality.GOOD, True),
        # the simulated past is read as its quarter-hour closes
        (timedelta(milliseconds=1), Quality.SIMULATED, False),
        (timedelta(milliseconds=1), Quality.SIMULATED, True),
    ],
)
async def test_a_load_that_changes_at_the_edge_of_a_band(
    database: Database,
    before: timedelta,
    quality: Quality,
    is_dropped: bool,
):
    """600 kW from 16:00 to 22:00 of Thursday 1 October, else 200: the 400 more are peak, to the kWh.

    The same once the raw readings are past their retention and only roll-ups are left.
    """
    site = await applied(database)
    times = every(START, END, 900)
    hours = np.array([(at - START).total_seconds() / 3600 for at in times])
    register = 50_000 + 200 * hours + 400 * np.clip(hours - 40.0, 0.0, 6.0)
    point = point_of(site, "main", Role.ENERGY_IMPORT)
    async with database.connection() as connection:
        await note_sampling(connection, [point.point_id], START, 900.0)
    await write(database, point.point_id, [at - before for at in times], register, quality)
    while await roll_up(database, site.time_zone, NOW):
        pass
    if is_dropped:
        async with database.connection() as connection:
            await connection.execute("DELETE FROM reading")
    (found,) = await read_bills(database, "hall", "2026-10", 1, NOW)
    energy = [line for line in found.bill.lines if line.kind is LineKind.ENERGY]
    summer = {line.key: line.quantity for line in energy if line.season == "summer"}
    assert summer["peak"] == 13_200 + 2_400
    assert summer["half_peak"] == 19_800
    assert found.bill.parts[0].demand_kw["peak"] == 600
    assert found.bill.parts[0].demand_kw["half_peak"] == 200


async def test_a_recorded_exchange_of_the_meter_is_in_the_bill(database: Database):
    """On 20 October at 10:07:30 a meter that begins at 3,000 takes over: the bill of 200 kW stays."""
    site = await applied(database)
    changed = datetime(2026, 10, 20, 2, 7, 30, tzinfo=UTC)
    old_last = 50_000 + 200 * (changed - START).total_seconds() / 3600
    times = every(START, END, 60)
    register = 50_000 + 200 * np.array([(at - START).total_seconds() / 3600 for at in times])
    is_new = np.array([at > changed for at in times])
    point = point_of(site, "main", Role.ENERGY_IMPORT)
    async with database.connection() as connection:
        await note_sampling(connection, [point.point_id], START, 60.0)
    await write(database, point.point_id, times, np.where(is_new, register - old_last + 3_000, register))
    wanted = WantedExchange("main", "energy_import", changed, old_last, 3_000.0, "due for calibration")
    await record_exchange(database, wanted, None, Actor("manager", "198.51.100.7"), NOW)
    while await roll_up(database, site.time_zone, NOW):
        pass
    (found,) = await read_bills(database, "hall", "2026-10", 1, NOW)
    assert found.bill.energy == 148_800
    assert found.bill.highest_demand_kw == 200
    assert found.bill.coverage == pytest.approx(1.0)


async def test_other_tariffs_and_contracts(database: Database):
    await metered(database, 200.0)
    plans = await read_plans(database, "hall", "2026-10", 1, NOW)
    assert {plan.tariff_id for plan in plans} == {"taipower-hv-tou2", "taipower-hv-tou3"}
    assert [plan.at_best for plan in plans] == sorted(plan.at_best for plan in plans if plan.at_best)
    assert [plan.total for plan in plans if plan.is_present] == [Decimal(730_981)]
    assert {plan.currency for plan in plans} == {"TWD"}
    assert [plan.coverage for plan in plans] == pytest.approx([1.0, 1.0])
    contract = await read_contract(database, "hall", "2026-10", 1, 0.02, NOW)
    # a load that never changes needs a contract of itself, less what a tenth over at twice the price saves
    assert contract.advice.best.kw == {"regular": 200}
    assert contract.advice.saving > 0
    assert contract.grown is not None
    assert sum(contract.grown.kw.values()) > 200


@pytest.mark.parametrize(
    ("building", "month", "message"),
    [
        ("nowhere", "2026-10", "No building 'nowhere'; there are: hall, annex"),
        ("annex", "2026-10", "has no tariff"),
        ("hall", "2024-05", "No edition of the tariff taipower-hv-tou3 covers 31 of 31 days"),
    ],
)
async def test_what_cannot_be_billed_is_said(database: Database, building: str, month: str, message: str):
    await applied(database)
    with pytest.raises(NotFound, match=message):
        await read_bills(database, building, month, 1, NOW)


async def test_the_api_tells_the_bill(database: Database, logged_in: LogIn):
    await metered(database, 200.0)
    client = await logged_in(UserRole.VIEWER)
    answer = await client.get("/api/v1/bills", params={"building": "hall", "month": "2026-10"})
    assert answer.status_code == 200
    (found,) = answer.json()
    assert Decimal(found["bill"]["total"]) == 730_981
    lines = found["bill"]["lines"]
    assert all(line["clause"] for line in lines)
    assert sum(Decimal(line["amount"]) for line in lines) == pytest.approx(Decimal(found["bill"]["exact"]))
    for path in ("plans", "contract"):
        answer = await client.get(
            f"/api/v1/bills/{path}", params={"building": "hall", "month": "2026-10", "months": 1}
        )
        assert answer.status_code == 200, answer.text
    answer = await client.get("/api/v1/bills", params={"building": "hall", "month": "2024-05"})
    assert answer.status_code == 404
    answer = await client.get("/api/v1/bills", params={"building": "hall", "month": "2026-13"})
    assert answer.status_code == 422


@pytest.mark.parametrize("month", ["0001-01", "9999-12", "no-month"])
async def test_a_month_that_cannot_be_leaves_the_page_whole(database: Database, month: str):
    await applied(database)
    asked = PageRequest(
        path="/bills",
        params={},
        query={"building": "hall", "month": month},
        user=User(1, "lin", "Lin", UserRole.VIEWER, "en"),
        language="en",
        theme="light",
        zone=ZoneInfo("Asia/Taipei"),
        now=NOW,
        database=database,
    )
    assert "/bills?building=hall" in str((await draw(asked)).to_plotly_json())
