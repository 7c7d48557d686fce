"""Fills the demo's past from the simulator's history stream, newest month first, beside the live readings.

Everything goes through the ingest path that a replay uses and is marked as simulated. Each finished month is
recorded, so that a second start continues where the first one ended.
"""

import asyncio
import json
import logging
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from energy_center.domain.readings import PointId, Quality
from energy_center.domain.site import Site
from energy_center.errors import DatabaseAway, EnvironmentProblem
from energy_center.services.backfill_plan import MONTHS, Part, bytes_needed, plan_parts
from energy_center.store.partitions import drop_old
from energy_center.store.pool import Database
from energy_center.store.progress import Progress, read_progress, write_progress
from energy_center.store.readings import ReadingBatch, note_sampling, write_backlog
from energy_center.store.rollups import is_rolled_up, roll_up

log = logging.getLogger(__name__)

JOB: Final = "backfill"
BATCH_ROWS: Final = 40_000  # about 0.3 s of one core: live commits wait no longer than that
PAUSE_SHARE: Final = 0.2  # of the time that a batch took, left to live work
_AWAY_PAUSE_S = 1.0
_ROLL_UP_PAUSE_S = 0.2
_HEADER_BYTES = 4 * 1024 * 1024
_STOP_S = 5.0
# A reading stands at the very end of the quarter-hour it closes, as in a meter's load profile: the
# consumption of a bucket is then that of its own quarter-hour.
_CLOSES_US = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One month of the stream: `matrix` of shape (points, n), NaN where there is no reading."""

    part: Part
    start: datetime
    matrix: NDArray[np.float64]

    @property
    def key(self) -> str:
        """What it is recorded by when it is done."""
        return f"{self.part.name}:{self.start.isoformat()}"

    @property
    def last(self) -> datetime:
        """The time of its newest reading."""
        return self.start + timedelta(seconds=self.part.step_s * (self.matrix.shape[1] - 1))

    def up_to(self, newer: "Block | None") -> "Block":
        """Itself with the first readings of the month after it, which close its last quarter-hour.

        By now retention may have dropped them, and that quarter-hour could no longer be rolled up whole.
        """
        following = self.last + timedelta(seconds=self.part.step_s)
        if newer is None or newer.start != following or newer.part.points != self.part.points:
            return self
        return replace(self, matrix=np.hstack([self.matrix, newer.matrix[:, :1]]))


@dataclass(slots=True)
class _State:
    """What is recorded; `end` is fixed by the first run, `rows_kept` are those of finished months."""

    end: datetime
    blocks: list[str]
    rows_kept: int
    days_done: float
    newer: Block | None = None
    rows: int = 0
    total: int = 0
    began_s: float = field(default_factory=time.monotonic)
    rows_at_begin: int = 0

    def finish(self, key: str) -> None:
        self.blocks.append(key)
        self.rows_kept = self.rows

    def detail(self) -> dict[str, object]:
        return {
            "end": self.end.isoformat(),
            "blocks": self.blocks,
            "rows_kept": self.rows_kept,
            "days_done": round(self.days_done, 2),
            "eta_s": self.eta_s(),
        }

    def eta_s(self) -> float | None:
        """Seconds to go at the pace of this run, None before it has a pace."""
        done = self.rows - self.rows_at_begin
        if done <= 0:
            return None
        return round((self.total - self.rows) * (time.monotonic() - self.began_s) / done, 1)


async def backfill(
    db: Database,
    site: Site,
    simulator_argv: Sequence[str],
    now: datetime,
    *,
    free_bytes: int | None = None,
    keep_days: int = 7,
    months: int = MONTHS,
) -> int:
    """Fill the past up to `now`, or to the first run's now when there was one. Returns the readings brought.

    `simulator_argv` is the history command without period and points. `free_bytes` on the database's disk is
    checked first, None when the database is elsewhere. Raises EnvironmentProblem for a full disk or a
    simulator that fails; the sentence is also recorded for the page.
    """
    state = await _resume(db, now)
    parts = plan_parts(site, state.end, months)
    state.total = sum(part.rows for part in parts)
    if all(_whole(part) in state.blocks for part in parts):
        return 0
    try:
        _check_disk(bytes_needed(parts, state.rows), free_bytes)
        for part in parts:
            await _fill_part(db, site, part, simulator_argv, state)
    except EnvironmentProblem as problem:
        await _report(db, state, failed=str(problem))
        raise
    # at the end and not month by month: while raw readings are whole, roll-ups join months in one step
    await _patiently(partial(drop_old, db, state.end, keep_days))
    brought = state.rows - state.rows_at_begin
    state.rows = state.rows_kept = state.total  # the months of a plan are counted to the nearest step
    await _report(db, state)
    log.info("history filled", extra={"action": "backfill_done", "rows": brought})
    return brought


async def _resume(db: Database, now: datetime) -> _State:
    known = await _patiently(partial(read_progress, db, JOB))
    detail: Mapping[str, object] = known.detail if known else {}
    blocks = detail.get("blocks")
    kept = int(str(detail.get("rows_kept", 0)))
    return _State(
        end=datetime.fromisoformat(str(detail["end"])) if "end" in detail else now.astimezone(UTC),
        blocks=[str(key) for key in blocks] if isinstance(blocks, list) else [],
        rows_kept=kept,
        days_done=float(str(detail.get("days_done", 0.0))),
        rows=kept,
        rows_at_begin=kept,
    )


def _whole(part: Part) -> str:
    return f"{part.name}:all"


def _check_disk(needed: int, free: int | None) -> None:
    if free is not None and free < needed:
        raise EnvironmentProblem(
            f"The simulated past needs {needed / 1e9:.1f} GB of disk and {free / 1e9:.1f} GB are free; "
            "free some space and start again, live values go on without it"
        )


async def _fill_part(db: Database, site: Site, part: Part, argv: Sequence[str], state: _State) -> None:
    if _whole(part) in state.blocks:
        return
    await _patiently(partial(_note_sampling, db, part))
    async with _stream(argv, part) as blocks:
        async for block in blocks:
            if block.key not in state.blocks:
                await _store(db, block.up_to(state.newer), state)
                await _roll_up(db, site, block, state.end)
                state.rows = min(state.rows_kept + block.matrix.size, state.total)
                state.finish(block.key)
            if part.name != "rest":
                state.newer = block
                state.days_done = (state.end - block.start).total_seconds() / 86_400
            await _report(db, state)
    state.finish(_whole(part))


async def _note_sampling(db: Database, part: Part) -> None:
    async with db.transaction() as connection:
        ids = [point.point_id for point in part.points]
        await note_sampling(connection, ids, part.start, float(part.step_s))


async def _store(db: Database, block: Block, state: _State) -> None:
    """Write a month in batches of whole points, pausing between them for live work."""
    at_us = (
        round(block.start.timestamp()) * 1_000_000
        + np.arange(block.matrix.shape[1], dtype=np.int64) * block.part.step_s * 1_000_000
        - _CLOSES_US
    )
    points = max(BATCH_ROWS // max(block.matrix.shape[1], 1), 1)
    for first in range(0, len(block.part.points), points):
        ids = [point.point_id for point in block.part.points[first : first + points]]
        batch = _batch(ids, at_us, block.matrix[first : first + points])
        began_s = time.monotonic()
        await _patiently(partial(write_backlog, db, batch, datetime.now(UTC)))
        state.rows += len(ids) * len(at_us) // 2  # the other half is its roll-up, which takes as long
        await _report(db, state)
        await asyncio.sleep(PAUSE_SHARE * (time.monotonic() - began_s))


def _batch(ids: Sequence[PointId], at_us: NDArray[np.int64], matrix: NDArray[np.float64]) -> ReadingBatch:
    known = np.isfinite(matrix).ravel()
    return ReadingBatch(
        np.repeat(np.array(ids, np.int32), len(at_us))[known],
        np.tile(at_us, len(ids))[known],
        matrix.ravel()[known],
        np.full(int(known.sum()), int(Quality.SIMULATED), np.int16),
    )


async def _roll_up(db: Database, site: Site, block: Block, end: datetime) -> None:
    """Roll up what was written, live buckets first; what the worker has taken is waited for."""
    while not await _patiently(partial(is_rolled_up, db, block.last)):
        if not await _patiently(partial(roll_up, db, site.time_zone, end)):
            await asyncio.sleep(_ROLL_UP_PAUSE_S)


async def _report(db: Database, state: _State, *, failed: str | None = None) -> None:
    detail = state.detail() | ({"failed": failed} if failed else {})
    progress = Progress(JOB, state.rows, state.total, detail, datetime.now(UTC))
    await _patiently(partial(write_progress, db, progress))


async def _patiently(act: Callable[[], Awaitable[T]]) -> T:
    """Do it again for as long as the database is away; said once."""
    said = False
    while True:
        try:
            return await act()
        except DatabaseAway as away:
            if not said:
                log.warning("history waits", extra={"action": "backfill_waits", "cause": str(away)})
            said = True
            await asyncio.sleep(_AWAY_PAUSE_S)


@asynccontextmanager
async def _stream(argv: Sequence[str], part: Part) -> AsyncIterator[AsyncIterator[Block]]:
    """Run the simulator for one part; its blocks, newest month first."""
    with tempfile.TemporaryDirectory(prefix="energy-center-") as folder:
        wanted = Path(folder) / "points.json"
        wanted.write_text(json.dumps([list(point.key) for point in part.points]))
        period = ["--from", part.start.isoformat(), "--to", part.end.isoformat()]
        process = await asyncio.create_subprocess_exec(
            *argv,
            *period,
            "--step",
            str(part.step_s),
            "--points",
            str(wanted),
            stdout=asyncio.subprocess.PIPE,
            limit=_HEADER_BYTES,
        )
        try:
            if process.stdout is None:
                raise AssertionError("the process was started with a pipe")
            yield _blocks(process.stdout, part)
        finally:
            await _stop(process)


async def _blocks(stream: asyncio.StreamReader, part: Part) -> AsyncIterator[Block]:
    while True:
        header = json.loads(await stream.readline() or "null")
        if header is None:
            raise EnvironmentProblem("The simulator ended before its history was complete; its log says why")
        if header.get("end"):
            return
        if [tuple(key) for key in header["keys"]] != [point.key for point in part.points]:
            raise EnvironmentProblem("The simulator answered with other points than it was asked for")
        body = await stream.readexactly(header["bytes"])
        matrix = np.frombuffer(body, dtype="<f8").reshape(len(part.points), header["n"])
        yield Block(part, datetime.fromisoformat(header["from"]), matrix)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the simulator and read its pipe to the end, which closes it before the loop does."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()


def be_polite() -> None:
    """Give way to live work on a busy machine."""
    os.nice(10)
