"""The spool on a real disk."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collectors.spool import Portion, Spool, SpoolLimits
from collectors.spool_file import Record, Sheet, read_segment

KEYS = (("meter", "active_power"), ("meter", "energy_import"))


def record(at_us: int, *values: float) -> Record:
    given = values or (float(at_us), float(at_us) + 0.5)
    return Record(KEYS[: len(given)], at_us, np.array(given), np.zeros(len(given), dtype=np.int16))


def sheet(*at_us: int) -> Sheet:
    given = [record(at) for at in at_us]
    values, quality = np.array([r.values for r in given]), np.array([r.quality for r in given])
    return Sheet(KEYS, np.array(at_us), values, quality)


def instants(portion: Portion | None) -> list[int]:
    return [] if portion is None else [r.at_us for r in portion.records]


@asynccontextmanager
async def running(spool: Spool) -> AsyncIterator[Spool]:
    task = asyncio.ensure_future(spool.run())
    try:
        yield spool
    finally:
        spool.stop()
        await task


async def rest(spool: Spool) -> list[int]:
    found = []
    while (portion := await spool.next_backlog(100)) is not None:
        found += instants(portion)
        spool.sent(portion)
    return found


async def test_what_was_appended_is_on_disk_when_the_future_is_done(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        await asyncio.wait_for(spool.append(record(1, 2.5, -1.0)), 2.0)
        (path,) = tmp_path.glob("*.log")
        ((_, found),) = read_segment(path)
        assert (found.keys, found.at_us, found.values.tolist()) == (KEYS, 1, [2.5, -1.0])


async def test_records_appended_together_share_one_commit(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        futures = [spool.append(record(n)) for n in range(100)]
        await asyncio.wait_for(futures[-1], 2.0)
        assert all(f.done() for f in futures)
        assert (spool.counts.commits, spool.counts.committed) == (1, 200)


async def test_live_records_come_from_memory_in_order_and_are_forgotten_once_sent(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        spool.go_live()
        await spool.append(record(1))
        await spool.append(record(2))
        portion = spool.next_live(10)
        assert portion is not None
        assert instants(portion) == [1, 2]
        spool.sent(portion)
        assert spool.backlog_bytes == 0
    assert list(tmp_path.glob("*.log")) == []


async def test_what_was_handed_over_but_not_sent_comes_again_from_disk(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        spool.go_live()
        await spool.append(record(1))
        first = spool.next_live(10)
        assert first is not None
        spool.sent(first)
        await spool.append(record(2))
        assert instants(spool.next_live(10)) == [2]
        spool.go_dark()  # the write of record 2 failed
        await spool.append(record(3))
        spool.go_live()
        assert await rest(spool) == [2, 3]


async def test_live_records_do_not_queue_behind_the_backlog(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        await spool.append(record(1))
        spool.go_live()
        await spool.append(record(2))
        assert instants(spool.next_live(10)) == [2]
        assert instants(await spool.next_backlog(10)) == [1]


async def test_next_process_takes_over_what_was_not_sent(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        await spool.append(record(1))
    async with running(Spool(tmp_path)) as spool:
        await spool.append(record(2))
        spool.go_live()
        assert await rest(spool) == [1, 2]


@pytest.mark.parametrize("cut", [1, 3, 9, 30])
async def test_torn_tail_is_cut_and_nothing_before_it_is_lost(tmp_path: Path, cut: int) -> None:
    async with running(Spool(tmp_path)) as spool:
        for n in range(5):
            await spool.append(record(n))
    (path,) = tmp_path.glob("*.log")
    path.write_bytes(path.read_bytes()[:-cut])
    async with running(Spool(tmp_path)) as spool:
        assert await rest(spool) == [0, 1, 2, 3]


@pytest.mark.parametrize("octet", [0, 4, 8, 20])
async def test_damage_costs_its_record_and_is_counted(tmp_path: Path, octet: int) -> None:
    """In the length, the checksum, the kind, the instant."""
    async with running(Spool(tmp_path)) as spool:
        ends = [len(b"ECSPOOL1")]
        for n in range(5):
            await spool.append(record(n))
            (path,) = tmp_path.glob("*.log")
            ends.append(path.stat().st_size)
    damaged = bytearray(path.read_bytes())
    damaged[ends[2] + octet] ^= 0xFF
    path.write_bytes(damaged)
    async with running(Spool(tmp_path)) as spool:
        assert await rest(spool) == [0, 1, 3, 4]
        assert spool.counts.unreadable_bytes == ends[3] - ends[2]


async def test_segment_whose_beginning_is_damaged_is_read_from_its_first_whole_record(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        for n in range(3):
            await spool.append(record(n))
    (path,) = tmp_path.glob("*.log")
    path.write_bytes(b"\0" * 8 + path.read_bytes()[8:])
    async with running(Spool(tmp_path)) as spool:
        assert await rest(spool) == [0, 1, 2]


async def test_records_of_a_lost_layout_are_counted_and_cost_no_other(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        await spool.append(record(1))
        (path,) = tmp_path.glob("*.log")
        first = path.stat().st_size
        await spool.append(record(2, 7.0))  # of a second layout
        await spool.append(record(3))
    damaged = bytearray(path.read_bytes())
    damaged[first + 12] ^= 0xFF
    path.write_bytes(damaged)
    async with running(Spool(tmp_path)) as spool:
        assert await rest(spool) == [1, 3]
        assert spool.counts.unreadable_bytes > 0


async def test_segment_that_cannot_be_read_holds_up_no_other(tmp_path: Path) -> None:
    async with running(Spool(tmp_path, SpoolLimits(segment_bytes=1))) as spool:
        for n in range(3):
            await spool.append(record(n))
    first, *_ = sorted(tmp_path.glob("*.log"))
    first.unlink()
    first.mkdir()  # reading fails, for root as well
    async with running(Spool(tmp_path)) as spool:
        assert await rest(spool) == [1, 2]
        assert spool.counts.unreadable_bytes > 0
    assert first.with_suffix(".unreadable").exists()


async def test_foreign_file_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.log").write_text("by hand")
    async with running(Spool(tmp_path)) as spool:
        await spool.append(record(1))
        spool.go_live()
        assert await rest(spool) == [1]
    assert (tmp_path / "notes.log").exists()


async def test_when_full_the_oldest_is_dropped_and_counted(tmp_path: Path) -> None:
    limits = SpoolLimits(max_bytes=2_000, segment_bytes=500, window_s=0.001)
    async with running(Spool(tmp_path, limits)) as spool:
        for n in range(200):
            await spool.append(record(n))
        assert sum(p.stat().st_size for p in tmp_path.glob("*.log")) <= 2_500
        spool.go_live()
        left = await rest(spool)
        assert left == list(range(200 - len(left), 200))
        assert spool.counts.dropped == 2 * (200 - len(left))


async def test_segment_older_than_the_limit_is_dropped(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        await spool.append(record(1))
    async with running(Spool(tmp_path, SpoolLimits(max_age_s=-1.0, clock_settles_s=0.0))) as spool:
        await spool.append(record(2))
        assert spool.counts.dropped == 2


async def test_clock_that_is_wrong_at_the_start_drops_nothing(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        await spool.append(record(1))
    (path,) = tmp_path.glob("*.log")
    os.utime(path, (0, 0))  # as seen by a clock that is half a century ahead
    async with running(Spool(tmp_path)) as spool:
        await spool.append(record(2))
        spool.go_live()
        assert await rest(spool) == [1, 2]
        assert spool.counts.dropped == 0


async def test_disk_that_cannot_be_written_fails_the_future(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    async with running(Spool(folder)) as spool:
        folder.rename(tmp_path / "away")
        with pytest.raises(OSError, match="No such file"):
            await asyncio.wait_for(spool.append(record(1)), 2.0)
        (tmp_path / "away").rename(folder)
        await asyncio.wait_for(spool.append(record(2)), 2.0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB of our own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system (2026-11-24)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no free byte."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


async def test_full_disk_leaves_no_file_open_and_none_behind(small_disk: Path) -> None:
    async with running(Spool(small_disk, SpoolLimits(window_s=0.001))) as spool:
        filler = fill(small_disk)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for n in range(50):
            with pytest.raises(OSError, match="No space left"):
                await asyncio.wait_for(spool.append(record(n)), 2.0)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
        assert len(list(small_disk.glob("*.log"))) <= 1
        assert spool.counts.dropped == 100
        filler.unlink()
        await asyncio.wait_for(spool.append(record(50)), 2.0)


async def test_full_disk_drops_the_oldest_while_the_writer_is_away(small_disk: Path) -> None:
    limits = SpoolLimits(window_s=0.001, segment_bytes=4_096)
    async with running(Spool(small_disk, limits)) as spool:
        for n in range(1_500):  # twice what fits
            await asyncio.wait_for(spool.append(record(n)), 2.0)
        spool.go_live()
        left = await rest(spool)
        assert left == list(range(1_500 - len(left), 1_500))
        assert spool.counts.dropped == 2 * (1_500 - len(left)) > 0


async def test_full_disk_costs_live_readings_nothing(small_disk: Path) -> None:
    async with running(Spool(small_disk, SpoolLimits(window_s=0.001))) as spool:
        await spool.append(record(0))  # backlog, which must stay as well
        spool.go_live()
        fill(small_disk)
        safe = [spool.append(record(n)) for n in (1, 2, 3)]
        async with asyncio.timeout(2.0):
            await spool.wake_writer.wait()
            while (first := spool.next_live(2)) is None:  # noqa: ASYNC110  a commit on a real disk
                await asyncio.sleep(0.001)
        assert instants(first) == [1, 2]
        spool.sent(first)
        assert not safe[0].done()
        last = spool.next_live(2)
        assert instants(last) == [3]
        assert last is not None
        spool.sent(last)
        await asyncio.wait_for(safe[2], 1.0)
        assert await rest(spool) == [0]
        assert spool.counts.dropped == 0


async def test_what_no_disk_took_is_written_when_the_writer_goes_away_and_there_is_room(
    small_disk: Path,
) -> None:
    async with running(Spool(small_disk, SpoolLimits(window_s=0.001))) as spool:
        spool.go_live()
        filler = fill(small_disk)
        safe = spool.append(record(1))
        async with asyncio.timeout(2.0):
            while spool.next_live(1) is None:  # noqa: ASYNC110  a commit on a real disk
                await asyncio.sleep(0.001)
        filler.unlink()
        spool.go_dark()  # it could not be stored
        await asyncio.wait_for(safe, 2.0)
        spool.go_live()
        assert await rest(spool) == [1]


async def test_what_a_hanging_disk_leaves_waiting_is_bounded_and_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolLimits(pending_records=10))  # nothing commits: it does not run
    last = [spool.append(record(n)) for n in range(12)][-1]
    with pytest.raises(OSError, match="does not keep up"):
        await last
    assert spool.counts.dropped == 4


async def test_what_its_sender_keeps_does_not_count_as_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    async with running(Spool(folder)) as spool:
        folder.rename(tmp_path / "away")
        spool.append(record(1))
        with pytest.raises(OSError, match="No such file"):
            await asyncio.wait_for(spool.append(replace(record(2), comes_again=True)), 2.0)
        assert spool.counts.dropped == 2  # both readings of the first record


async def test_memory_stays_bounded_when_nobody_takes_live_records(tmp_path: Path) -> None:
    async with running(Spool(tmp_path, SpoolLimits(live_records=10, window_s=0.001))) as spool:
        spool.go_live()
        for n in range(12):
            await spool.append(record(n))
        assert not spool.is_live
        spool.go_live()
        assert await rest(spool) == list(range(12))


async def test_going_live_and_dark_during_writes_loses_nothing(tmp_path: Path) -> None:
    got: list[int] = []
    async with running(Spool(tmp_path, SpoolLimits(window_s=0.0))) as spool:

        async def flap() -> None:
            while True:
                spool.go_live()
                await asyncio.sleep(0.001)
                if (portion := spool.next_live(5)) is not None:
                    got.extend(instants(portion))
                    spool.sent(portion)
                await asyncio.sleep(0)
                spool.go_dark()
                await asyncio.sleep(0)

        flapping = asyncio.ensure_future(flap())
        for n in range(150):
            spool.append(record(n))
            await asyncio.sleep(0.001)
        await spool.append(record(150))
        flapping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await flapping
        spool.go_dark()  # what was handed over last and not taken is read from disk
        spool.go_live()
        got += await rest(spool)
    assert sorted(got) == list(range(151))


async def test_sheet_comes_back_as_its_records_in_order(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        spool.append(record(1))
        spool.append(sheet(2, 3, 4))
        await spool.append(record(5))
        assert spool.counts.committed == 10
    left = Spool(tmp_path)
    portion = await left.next_backlog(100)
    assert portion is not None
    assert instants(portion) == [1, 2, 3, 4, 5]
    assert [r.values.tolist() for r in portion.records] == [[n, n + 0.5] for n in (1, 2, 3, 4, 5)]
    assert all(r.keys == KEYS and r.quality.tolist() == [0, 0] for r in portion.records)


async def test_sheet_sent_in_part_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        spool.append(sheet(1, 2, 3))
        await spool.append(sheet(4, 5, 6))
    for sent in range(1, 6):
        spool = Spool(tmp_path)
        portion = await spool.next_backlog(sent)
        assert portion is not None
        spool.sent(portion)
        spool.go_dark()  # what is unsent is read from disk anew
        again = await spool.next_backlog(100)
        assert instants(portion) + instants(again) == [1, 2, 3, 4, 5, 6]


async def test_flags_of_a_sheet_are_kept(tmp_path: Path) -> None:
    flagged = sheet(1, 2)
    flagged.quality[1, 0] = 4
    async with running(Spool(tmp_path)) as spool:
        await spool.append(flagged)
    portion = await Spool(tmp_path).next_backlog(10)
    assert portion is not None
    assert [r.quality.tolist() for r in portion.records] == [[0, 0], [4, 0]]


async def test_sheet_is_handed_over_live_record_by_record(tmp_path: Path) -> None:
    async with running(Spool(tmp_path)) as spool:
        spool.append(record(1))
        waiting = spool.append(sheet(2, 3))
        spool.go_live()
        await waiting
        found = []
        while (portion := spool.next_live(1)) is not None:
            found += instants(portion)
            spool.sent(portion)
        assert found == [1, 2, 3]
        assert spool.backlog_bytes == 0


async def test_instants_of_sheets_count_against_what_may_wait(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolLimits(pending_records=3))
    spool.append(sheet(1, 2, 3))
    refused = spool.append(record(4))
    assert isinstance(refused.exception(), OSError)
    assert spool.counts.dropped == 2
