"""Device states, their events, and progress of jobs."""

from datetime import timedelta

from energy_center.store.devices import device_events, device_states, mark_seen, set_device_state
from energy_center.store.pool import Database
from energy_center.store.progress import Progress, read_progress, write_progress
from tests.store.builders import NOW

LATER = NOW + timedelta(minutes=3)


async def test_only_a_change_is_an_event(database: Database) -> None:
    assert await set_device_state(database, "ltb-main", online=True, at=NOW)
    assert not await set_device_state(database, "ltb-main", online=True, at=LATER)
    assert await set_device_state(database, "ltb-main", online=False, at=LATER, detail="no answer")
    assert [(e.online, e.at) for e in await device_events(database, since=NOW)] == [
        (False, LATER),
        (True, NOW),
    ]
    state = (await device_states(database))["ltb-main"]
    assert (state.online, state.since, state.seen_at, state.detail) == (False, LATER, LATER, "no answer")


async def test_seen_moves_only_forward(database: Database) -> None:
    await set_device_state(database, "ltb-main", online=True, at=LATER)
    await mark_seen(database, {"ltb-main": NOW, "unknown": NOW})
    assert (await device_states(database))["ltb-main"].seen_at == LATER
    await mark_seen(database, {"ltb-main": LATER + timedelta(seconds=1)})
    assert (await device_states(database))["ltb-main"].seen_at == LATER + timedelta(seconds=1)


async def test_progress_comes_back(database: Database) -> None:
    assert await read_progress(database, "backfill") is None
    for done in (1, 2):
        written = Progress("backfill", done, 13, {"months": ["2026-10"], "days_done": 31.0}, NOW)
        await write_progress(database, written)
    assert await read_progress(database, "backfill") == written
