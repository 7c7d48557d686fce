"""The writer between a real spool and a store that can be away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from collectors.driver import TUPLES_KNOWN
from collectors.set_aside import SetAside
from collectors.spool import Spool, SpoolLimits
from collectors.spool_file import Record, readings_in
from collectors.writer import Columns, Writer
from energy_center.config.bindings import PointKey
from energy_center.errors import DatabaseAway
from tests.unit.collectors.fixed_random import seeded

KEYS = (("meter", "active_power"), ("meter", "energy_import"))
T0_US = 1_780_000_000_000_000  # instants in these tests are microseconds after this one, of 2026


@dataclass
class FakeStore:
    """Keeps what is written; raises while `away`; `dies_after` writes are stored whose answer is lost."""

    ids: dict[PointKey, int] = field(default_factory=lambda: {k: n + 1 for n, k in enumerate(KEYS)})
    away: bool = False
    lose_answers: int = 0
    bugs: int = 0
    is_refused: Callable[[float], bool] = lambda _: False
    rows: list[tuple[int, int]] = field(default_factory=list)
    live: list[bool] = field(default_factory=list)

    async def point_ids(self) -> Mapping[PointKey, int]:
        if self.away:
            raise DatabaseAway
        return self.ids

    async def write(self, columns: Columns, received_at: datetime, *, live: bool) -> int:
        if self.away:
            raise DatabaseAway
        if self.bugs:
            self.bugs -= 1
            raise ZeroDivisionError
        if any(self.is_refused(value) for value in columns.value.tolist()):
            raise ValueError("out of range")
        self.rows += zip(columns.point_id.tolist(), (columns.at_us - T0_US).tolist(), strict=True)
        self.live.append(live)
        if self.lose_answers:
            self.lose_answers -= 1
            raise DatabaseAway
        return len(columns.value)


def record(at_us: int, *values: float) -> Record:
    given = values or (1.0, 2.0)
    return Record(KEYS, T0_US + at_us, np.array(given), np.zeros(2, dtype=np.int16))


async def no_call() -> None:
    pass


@asynccontextmanager
async def writing(folder: Path, store: FakeStore) -> AsyncIterator[Spool]:
    spool = Spool(folder, SpoolLimits(window_s=0.001))
    aside = SetAside.below(folder)
    writer = Writer(spool, store, aside, no_call, seeded(1), ask_again_s=0.02)
    tasks = [asyncio.ensure_future(work) for work in (spool.run(), writer.run(), aside.run())]
    try:
        yield spool
    finally:
        spool.stop()
        await tasks[0]
        writer.finish()
        async with asyncio.timeout(20):
            await tasks[1]
        aside.stop()
        await tasks[2]


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not claim():  # noqa: ASYNC110  the fake has no event to wait for
            await asyncio.sleep(0.01)


async def test_readings_reach_the_store_under_their_numbers(tmp_path: Path) -> None:
    store = FakeStore()
    async with writing(tmp_path, store) as spool:
        await spool.append(record(5))
    assert sorted(store.rows) == [(1, 5), (2, 5)]


async def test_absent_values_are_not_written(tmp_path: Path) -> None:
    store = FakeStore()
    async with writing(tmp_path, store) as spool:
        await spool.append(record(5, float("nan"), 2.0))
    assert store.rows == [(2, 5)]


async def test_nothing_is_lost_while_the_store_is_away(tmp_path: Path) -> None:
    store = FakeStore(away=True)
    async with writing(tmp_path, store) as spool:
        for n in range(20):
            await spool.append(record(n))
        store.away = False
        await until(lambda: len(set(store.rows)) == 40)
        await spool.append(record(20))
    assert {at for _, at in store.rows} == set(range(21))


async def test_answer_lost_after_the_commit_means_written_again_not_lost(tmp_path: Path) -> None:
    store = FakeStore(lose_answers=2)
    async with writing(tmp_path, store) as spool:
        for n in range(10):
            await spool.append(record(n))
        await until(lambda: {at for _, at in store.rows} == set(range(10)))
        await until(lambda: spool.backlog_bytes == 0)


async def test_error_that_nobody_foresaw_does_not_end_the_writer(tmp_path: Path) -> None:
    store = FakeStore(bugs=1)
    async with writing(tmp_path, store) as spool:
        await spool.append(record(1))
        await until(lambda: len(store.rows) == 2)


async def test_readings_wait_until_a_site_is_applied(tmp_path: Path) -> None:
    store = FakeStore(ids={})
    async with writing(tmp_path, store) as spool:
        await spool.append(record(1))
        await asyncio.sleep(0.05)
        assert store.rows == []
        store.ids = {k: n + 1 for n, k in enumerate(KEYS)}
        await until(lambda: len(store.rows) == 2)


async def test_stop_leaves_what_the_store_did_not_take_on_disk(tmp_path: Path) -> None:
    async with writing(tmp_path, FakeStore(away=True)) as spool:
        await spool.append(record(1))
    later = FakeStore()
    async with writing(tmp_path, later) as spool:
        await until(lambda: len(later.rows) == 2)
    assert later.rows == [(1, 1), (2, 1)]


async def test_unknown_point_is_set_aside_and_stored_once_a_site_is_applied_that_has_it(
    tmp_path: Path,
) -> None:
    store = FakeStore(ids={KEYS[0]: 1})
    async with writing(tmp_path, store) as spool:
        await spool.append(record(5))
        await until(lambda: store.rows == [(1, 5)])  # its neighbour is not held up
        store.ids = {KEYS[0]: 1, KEYS[1]: 2}
        at_us = 6
        while len(store.rows) < 2 * (at_us - 5):  # until the numbers were asked for again
            await spool.append(record(at_us))
            at_us += 1
        await until(lambda: len(store.rows) == 2 * (at_us - 5))
    assert {at for point, at in store.rows if point == 2} == set(range(5, at_us))


async def test_what_was_set_aside_outlives_the_process(tmp_path: Path) -> None:
    store = FakeStore(ids={KEYS[0]: 1})
    async with writing(tmp_path, store) as spool:
        await spool.append(record(5))
    assert store.rows == [(1, 5)]
    async with writing(tmp_path, store):  # still unknown: it stays where it is
        pass
    store.ids = {KEYS[0]: 1, KEYS[1]: 2}
    async with writing(tmp_path, store):
        await until(lambda: len(store.rows) == 2)
    assert store.rows == [(1, 5), (2, 5)]
    assert list((tmp_path / "unknown-points").glob("*.log")) == []


async def test_readings_from_the_future_are_kept_aside_and_never_stored(tmp_path: Path) -> None:
    store = FakeStore()
    now_us = time.time_ns() // 1000 - T0_US
    async with writing(tmp_path, store) as spool:
        await spool.append(record(now_us + 600_000_000))  # ten minutes ahead
        await spool.append(record(now_us + 60_000_000))  # one minute: clocks differ
        await until(lambda: len(store.rows) == 2)
    assert {at for _, at in store.rows} == {now_us + 60_000_000}
    (kept,) = (tmp_path / "future-stamps").glob("*.log")
    assert readings_in(kept) == 2
    async with writing(tmp_path, store):
        pass
    assert len(store.rows) == 2


async def test_readings_of_a_clock_that_was_not_set_are_kept_aside_and_never_stored(tmp_path: Path) -> None:
    store = FakeStore()
    async with writing(tmp_path, store) as spool:
        await spool.append(record(5 - T0_US))  # 1970
        await spool.append(record(6))
        await until(lambda: len(store.rows) == 2)
    assert {at for _, at in store.rows} == {6}
    (kept,) = (tmp_path / "future-stamps").glob("*.log")
    assert readings_in(kept) == 2


async def test_reading_that_the_store_refuses_holds_up_no_other_and_is_kept_aside(tmp_path: Path) -> None:
    store = FakeStore(is_refused=lambda value: value == 13.0)
    async with writing(tmp_path, store) as spool:
        for n in range(50):
            await spool.append(record(n, 1.0, 13.0) if n == 17 else record(n))
        await until(lambda: len(set(store.rows)) == 99)
        await until(lambda: spool.counts.refused == 1)
        assert spool.counts.dropped == 1
    assert (2, 17) not in store.rows
    (kept,) = (tmp_path / "refused").glob("*.log")
    assert readings_in(kept) == 1


async def test_store_that_refuses_everything_is_waited_for(tmp_path: Path) -> None:
    store = FakeStore(is_refused=lambda _: True)
    async with writing(tmp_path, store) as spool:
        for n in range(50):
            await spool.append(record(n))
        await asyncio.sleep(0.5)
        assert spool.counts.refused == 0
        store.is_refused = lambda _: False
        await until(lambda: len(set(store.rows)) == 100)


async def test_numbers_of_blocks_that_never_come_again_are_forgotten(tmp_path: Path) -> None:
    spool, aside = Spool(tmp_path, SpoolLimits(window_s=0.001)), SetAside.below(tmp_path)
    writer = Writer(spool, FakeStore(), aside, no_call, seeded(1))
    flags = np.zeros(1, dtype=np.int16)
    keys = [(("meter", f"point_{n}"),) for n in range(TUPLES_KNOWN + 10)]
    writer._ids = {key: 1 for (key,) in keys}
    writer._unknown([Record(k, T0_US, np.array([np.nan]), flags) for k in keys])
    assert len(writer._id_arrays) <= TUPLES_KNOWN
