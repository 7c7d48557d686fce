"""Corrections and exchanges: the figures follow, all is audited, and an undo gives every reading back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energy_center.analysis.counters import CounterEventKind
from energy_center.analysis.grid import Step
from energy_center.cli import main
from energy_center.domain.meter_events import Correction, CorrectionKind
from energy_center.domain.people import Actor, User, UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from energy_center.domain.site import Site
from energy_center.domain.timeline import Interval
from energy_center.errors import Conflict, Invalid, NotAllowed, NotFound
from energy_center.services.audit import check_audit, read_audit
from energy_center.services.meter_events import (
    WantedCorrection,
    WantedExchange,
    correct_readings,
    list_events,
    record_exchange,
    undo_event,
)
from energy_center.services.read_energy import read_energy
from energy_center.services.series_consumption import with_consumption
from energy_center.store.latest import latest_of
from energy_center.store.pool import Database
from energy_center.store.rollups import roll_up
from energy_center.store.series import Grain, read_series
from tests.services.city_hall import applied, every, point_of, write

TAIPEI = ZoneInfo("Asia/Taipei")
START = datetime(2026, 3, 2, tzinfo=TAIPEI)
NOW = START + timedelta(days=3)
DAY = Interval(START, START + timedelta(days=1))
KW = 60.0  # 1 kWh a minute
CHANGED = START + timedelta(hours=10, minutes=7, seconds=30)  # between two readings, within a quarter-hour
FIRST_INSTANT, LAST_INSTANT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
ACTOR = Actor("manager", "198.51.100.7")


@pytest.fixture
async def site(database: Database) -> Site:
    """Two days of 60 kW on the main meter's register, every minute."""
    made = await applied(database, START - timedelta(days=30))
    async with database.transaction() as connection:
        await connection.execute("UPDATE sampling SET interval_s = 60")
    await _write(database, made, lambda minutes: 50_000.0 + minutes)
    return made


async def _write(database: Database, site: Site, register) -> None:
    times = every(START, START + timedelta(days=2), 60)
    minutes = np.arange(len(times), dtype=float)
    await write(database, point_of(site, "main", Role.ENERGY_IMPORT).point_id, times, register(minutes))
    await _roll_up(database)


async def _roll_up(database: Database) -> None:
    while await roll_up(database, "Asia/Taipei", NOW):
        pass


async def _day(database: Database) -> tuple[float | None, float]:
    await _roll_up(database)
    found = await read_energy(database, "main", DAY, Step.DAY)
    return found.energies.total, found.energies.total_coverage


def _correction(
    kind: CorrectionKind, number: float | None = None, minutes: int = 30, **more
) -> WantedCorrection:
    end = CHANGED + timedelta(minutes=minutes)
    facts = {"equipment_id": "main", "point": "energy_import", "start": CHANGED, "end": end, "reason": "test"}
    return WantedCorrection(correction=Correction(kind, number), **{**facts, **more})


def _exchange(**more) -> WantedExchange:
    facts = {
        "equipment_id": "main",
        "point": "energy_import",
        "at": CHANGED,
        "old_last": 50_607.5,
        "new_first": 3.0,
    }
    return WantedExchange(**{**facts, "reason": "old meter failed its test", **more})


@pytest.fixture
async def exchanged(database: Database) -> Site:
    """The same two days; the meter was exchanged in the midst of the first one, and began at 3."""
    made = await applied(database, START - timedelta(days=30))
    async with database.transaction() as connection:
        await connection.execute("UPDATE sampling SET interval_s = 60")
    await _write(database, made, lambda m: np.where(m <= 607, 50_000.0 + m, 3.0 + m - 607.5))
    return made


async def test_a_recorded_exchange_gives_its_energy_back_and_an_undo_takes_it(
    database: Database, exchanged: Site
):
    before, coverage = await _day(database)
    assert before is not None
    assert before < 1440 - 1  # the quarter-hour of the exchange is lost
    assert coverage < 1
    event = await record_exchange(database, _exchange(), None, ACTOR, NOW)
    assert await _day(database) == (pytest.approx(1440), pytest.approx(1.0))
    found = await read_energy(database, "main", DAY, Step.DAY)
    assert [(name, e.kind, e.before, e.after) for name, e in found.events] == [
        ("main", CounterEventKind.EXCHANGE, 50_607.5, 3.0)
    ]
    assert found.events[0][1].at_s == CHANGED.timestamp()
    await undo_event(database, event.meter_event_id, None, ACTOR, NOW)
    assert await _day(database) == (pytest.approx(before), pytest.approx(coverage))


async def test_a_series_consumption_follows_a_recorded_exchange_too(database: Database, exchanged: Site):
    await record_exchange(database, _exchange(), None, ACTOR, NOW)
    await _roll_up(database)
    point = point_of(exchanged, "main", Role.ENERGY_IMPORT)
    series = await read_series(database, [point.point_id], START, START + timedelta(days=1), Grain.HOUR)
    hours = await with_consumption(
        database,
        point,
        series[point.point_id],
        Grain.HOUR,
        ZoneInfo(exchanged.time_zone),
        is_site_zone=True,
    )
    assert hours.delta[1:].sum() == pytest.approx(1380, abs=1e-6)


async def test_a_wrong_factor_is_corrected_and_marked_and_undone(database: Database, site: Site):
    point = point_of(site, "main", Role.ENERGY_IMPORT).point_id
    original = (await read_series(database, [point], START, NOW, Grain.RAW))[point]
    event = await correct_readings(database, _correction(CorrectionKind.ADD, 0.25), None, ACTOR, NOW)
    assert event.readings == 30
    changed = (await read_series(database, [point], START, NOW, Grain.RAW))[point]
    touched = changed.quality & int(Quality.SUBSTITUTED) != 0
    assert touched.sum() == 30
    assert changed.value[touched] == pytest.approx(original.value[touched] + 0.25)
    await undo_event(database, event.meter_event_id, None, ACTOR, NOW)
    restored = (await read_series(database, [point], START, NOW, Grain.RAW))[point]
    assert restored.value.tolist() == original.value.tolist()
    assert restored.quality.tolist() == original.quality.tolist()


async def test_removed_readings_leave_a_gap_in_the_figures_until_they_are_given_back(
    database: Database, site: Site
):
    removed = await correct_readings(
        database, _correction(CorrectionKind.REMOVE, minutes=240), None, ACTOR, NOW
    )
    total, coverage = await _day(database)
    assert total == pytest.approx(1440)  # the registers on both sides still say it
    assert coverage == pytest.approx(1 - 240 / 1440, abs=0.01)
    hours = await read_energy(database, "main", DAY, Step.HOUR)
    assert hours.energies.coverage[12] == 0.0
    await undo_event(database, removed.meter_event_id, None, ACTOR, NOW)
    assert await _day(database) == (pytest.approx(1440), pytest.approx(1.0))


async def test_a_glitch_set_right_no_longer_shows_as_an_event(database: Database, site: Site):
    start = START + timedelta(hours=5)
    wanted = _correction(CorrectionKind.SET, 7.0, start=start, end=start + timedelta(seconds=1))
    await correct_readings(database, wanted, None, ACTOR, NOW)
    await _roll_up(database)
    assert [e.kind for _, e in (await read_energy(database, "main", DAY, Step.DAY)).events] == [
        CounterEventKind.GLITCH
    ]
    right = _correction(CorrectionKind.SET, 50_300.0, start=start, end=start + timedelta(seconds=1))
    await correct_readings(database, right, None, ACTOR, NOW)
    await _roll_up(database)
    assert (await read_energy(database, "main", DAY, Step.DAY)).events == ()


async def test_events_are_undone_in_reverse_order_only(database: Database, site: Site):
    first = await correct_readings(database, _correction(CorrectionKind.ADD, 1.0), None, ACTOR, NOW)
    second = await correct_readings(database, _correction(CorrectionKind.ADD, 1.0), None, ACTOR, NOW)
    with pytest.raises(Conflict, match="undo that one first"):
        await undo_event(database, first.meter_event_id, None, ACTOR, NOW)
    await undo_event(database, second.meter_event_id, None, ACTOR, NOW)
    await undo_event(database, first.meter_event_id, None, ACTOR, NOW)
    with pytest.raises(Conflict, match="undone already"):
        await undo_event(database, first.meter_event_id, None, ACTOR, NOW)
    assert [e.undone_by for e in await list_events(database, equipment_id="main")] == ["manager"] * 2


async def test_the_newest_reading_follows_its_correction(database: Database, site: Site):
    point = point_of(site, "main", Role.ENERGY_IMPORT).point_id
    end = START + timedelta(days=2)
    wanted = _correction(CorrectionKind.ADD, 0.5, start=end - timedelta(minutes=1), end=end)
    await correct_readings(database, wanted, None, ACTOR, NOW)
    assert (await latest_of(database, [point]))[point].value == pytest.approx(50_000 + 2879 + 0.5)


REFUSED = [
    (_correction(CorrectionKind.ADD, 1.0, point="nothing"), NotFound, "no such point"),
    (_correction(CorrectionKind.ADD, 1.0, minutes=-5), Invalid, "ends before it starts"),
    (_correction(CorrectionKind.ADD, 1.0, start=NOW, end=NOW + timedelta(days=1)), Invalid, "no reading"),
    (_correction(CorrectionKind.ADD, 1.0, reason="  "), Invalid, "A reason is needed"),
    (_correction(CorrectionKind.ADD, 1.0, end=NOW + timedelta(days=2)), Invalid, "more than a day ahead"),
    (_correction(CorrectionKind.MULTIPLY, 1e306), Invalid, "no number any more"),
    (_correction(CorrectionKind.ADD, 1.0, end=LAST_INSTANT), Invalid, "more than a day ahead"),
    (_exchange(point="active_power"), Invalid, "no counter"),
    (_exchange(at=FIRST_INSTANT), Invalid, "before the year 2000"),
    (_exchange(at=NOW + timedelta(hours=1)), Invalid, "future"),
    (_exchange(old_last=-1.0), Invalid, "never negative"),
    (_exchange(new_first=50_700.0), Invalid, "cannot tell from consumption"),
    (_exchange(at=START + timedelta(hours=1)), Conflict, "between two readings"),
]


async def test_what_cannot_be_is_refused_and_changes_nothing(database: Database, site: Site):
    for wanted, error, says in REFUSED:
        act = correct_readings if isinstance(wanted, WantedCorrection) else record_exchange
        with pytest.raises(error, match=says):
            await act(database, wanted, None, ACTOR, NOW)
    assert await list_events(database) == []
    assert await _day(database) == (pytest.approx(1440), pytest.approx(1.0))


async def test_only_who_may_correct_readings_does(database: Database, site: Site):
    viewer = User(1, "v", "V", UserRole.VIEWER, "en")
    with pytest.raises(NotAllowed):
        await record_exchange(database, _exchange(), viewer, ACTOR, NOW)
    with pytest.raises(NotAllowed):
        await correct_readings(database, _correction(CorrectionKind.REMOVE), viewer, ACTOR, NOW)
    with pytest.raises(NotAllowed):
        await undo_event(database, 1, viewer, ACTOR, NOW)


async def test_the_audit_log_holds_both_sides(database: Database, site: Site):
    event = await correct_readings(database, _correction(CorrectionKind.MULTIPLY, 1.0), None, ACTOR, NOW)
    await undo_event(database, event.meter_event_id, None, ACTOR, NOW)
    undone, made = await read_audit(database, limit=2)
    assert (made.action, undone.action) == ("meter_event.correction", "meter_event.undone")
    assert (made.after["to"], made.after["readings"], undone.after["undone"]) == ("multiply", 30, True)
    assert (await check_audit(database)).broken_at is None


@pytest.mark.parametrize(
    ("kind", "number"),
    [(CorrectionKind.REMOVE, 1.0), (CorrectionKind.SET, None), (CorrectionKind.ADD, float("nan"))],
)
def test_a_correction_has_a_number_exactly_where_it_needs_one(kind: CorrectionKind, number: float | None):
    with pytest.raises(ValueError, match="number"):
        Correction(kind, number)


def test_the_command_asks_for_a_zone(capsys):
    with pytest.raises(SystemExit):
        main(
            [
                "readings",
                "exchange",
                "main",
                "--at",
                "2026-03-02",
                "--old-last",
                "1",
                "--new-first",
                "0",
                "--reason",
                "x",
            ]
        )
    assert "expected such as 2026-11-24T08:00+08:00" in capsys.readouterr().err
