"""Two parameter sets compared over the same past by the worker, scored by what people said of its alarms."""

from datetime import timedelta

from energy_center.domain.people import Actor
from energy_center.domain.tuning import ComparisonState
from energy_center.services import tune_rules
from energy_center.store import rule_tuning
from energy_center.store.pool import Database
from energy_center.store.rollups import roll_up
from tests.services.test_backtest_and_detection import START, history

ASKED = Actor("chen", "203.0.113.9")
END = START + timedelta(days=1)
RULE = "power-factor-low"


async def _ask(database: Database) -> int:
    sets = ({}, {"least_factor": 0.6})
    return (await tune_rules.ask_comparison(database, RULE, None, 1, sets, ASKED, END)).comparison_id


async def test_a_comparison_shows_what_each_set_would_have_raised(database: Database) -> None:
    site = await history(database)
    while await roll_up(database, site.time_zone, END + timedelta(days=1)):
        pass
    async with database.transaction() as conn:
        for hour in (7, 20):
            await conn.execute(
                """INSERT INTO alarm
                    (rule_id, equipment_id, priority, state, onset_at, raised_at, returned_at)
                VALUES ($1, 'm', 'low', 'normal', $2, $2, $3)""",
                RULE,
                START + timedelta(hours=hour),
                START + timedelta(hours=hour + 1),
            )
    await tune_rules.say_verdict(database, 1, ASKED, END, was_right=True)
    await tune_rules.say_verdict(database, 2, ASKED, END, was_right=False)
    number = await _ask(database)
    assert await tune_rules.run_next_comparison(database)
    assert not await tune_rules.run_next_comparison(database)
    done = await tune_rules.read_comparison(database, number)
    assert (done.state, done.share_done) == (ComparisonState.DONE, 1.0)
    assert done.result is not None
    first, second = done.result["first"], done.result["second"]
    assert (first["findings"], first["precision"], first["recall"]) == (1, 1.0, 1.0)
    assert first["truth"] == {"found": 1, "missed": 0, "raised_wrongly": 0, "avoided": 1}
    assert (second["findings"], second["precision"], second["recall"]) == (0, None, 0.0)


async def test_a_cancelled_comparison_ends_and_leaves_no_result(database: Database) -> None:
    await history(database)
    number = await _ask(database)
    async with database.transaction() as conn:
        assert await rule_tuning.take_comparison(conn) is not None  # it runs
    await tune_rules.cancel_comparison(database, number, ASKED, END)
    async with database.transaction() as conn:
        assert not await rule_tuning.set_progress(conn, number, 0.5)  # the worker hears of it
        await rule_tuning.end_comparison(conn, number, ComparisonState.DONE, {"first": {}})
    found = await tune_rules.read_comparison(database, number)
    assert (found.state, found.result) == (ComparisonState.CANCELLED, None)
    assert not await tune_rules.run_next_comparison(database)


async def test_what_a_dead_worker_left_running_begins_anew(database: Database) -> None:
    await history(database)
    number = await _ask(database)
    async with database.transaction() as conn:
        await rule_tuning.take_comparison(conn)
    assert await tune_rules.run_next_comparison(database)
    assert (await tune_rules.read_comparison(database, number)).state is ComparisonState.DONE


async def test_what_is_in_force_shows_with_where_it_comes_from(database: Database) -> None:
    await history(database)
    await tune_rules.adopt(database, RULE, None, {"least_factor": 0.8}, "Old lamps", ASKED, END)
    found = await tune_rules.read_tuning(database, RULE)
    factor = next(p for p in found.parameters if p.name == "least_factor")
    assert (factor.adopted, factor.in_force) == (0.8, 0.8)
    assert factor.default != 0.8
    assert found.equipment == ("m",)


async def test_a_second_adoption_leaves_in_force_what_it_does_not_name(database: Database) -> None:
    await history(database)
    await tune_rules.adopt(database, RULE, None, {"least_factor": 0.8, "keep": 900.0}, "Lamps", ASKED, END)
    second = await tune_rules.adopt(database, RULE, None, {"hold": 1800.0, "keep": 60.0}, "Calm", ASKED, END)

    async def adopted() -> dict[str, float | None]:
        found = await tune_rules.read_tuning(database, RULE)
        return {p.name: p.adopted for p in found.parameters if p.adopted is not None}

    assert await adopted() == {"least_factor": 0.8, "hold": 1800.0, "keep": 60.0}
    await tune_rules.undo(database, second.adoption_id, ASKED, END)
    assert await adopted() == {"least_factor": 0.8, "keep": 900.0}
