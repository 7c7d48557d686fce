"""The drain of the spool: the database is away for minutes; then the backlog goes while live data go on."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from energy_center.cli import out
from energy_center.cli.soak_report import Figure, SoakPart
from energy_center.cli.soak_stand import SoakStand
from energy_center.errors import RetryLater

GONE_WITHIN_S = 60.0
NEVER_LATER_S = 2.0
LOOK_EVERY_S = 0.5
LONGEST_S = 600.0
QUIET_S = 5.0  # until nothing more is under way


@dataclass(slots=True)
class _Course:
    """Looks: seconds since the database is back, age of the newest reading in it, bytes of the spool."""

    looks: list[tuple[float, float, int]] = field(default_factory=list)
    live_from_s: float | None = None

    @property
    def worst_age_s(self) -> float:
        """The oldest that the newest stored reading ever was, once readings came again; inf: nobody saw."""
        return max((age for at, age, _ in self.looks if at >= (self.live_from_s or 0.0)), default=math.inf)


async def run_drain(minutes: float) -> SoakPart:
    """Kill the database for so long, start it again, and watch."""
    began = time.monotonic()
    async with SoakStand() as stand:
        await stand.until_all_read()
        out.error(f"every point is read; the database goes away for {minutes:g} min …")
        before = await stand.served()
        await stand.postgres.kill()
        await asyncio.sleep(minutes * 60)
        owed = await stand.served()
        held_bytes = stand.spool_bytes()
        await stand.postgres.start()
        out.error(f"the database is back; {held_bytes:,} bytes wait")
        course = _Course()
        watching = asyncio.ensure_future(_watch(stand, course))
        try:
            gone_s = await _until_stored(stand)
        finally:
            watching.cancel()
        await stand.mute_all()
        await asyncio.sleep(QUIET_S)
        sent, stored = await stand.served(), await stand.stored()
    missed = owed.total() - before.total()
    return SoakPart(
        "drain",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        (time.monotonic() - began) / 60,
        f"{len(stand.plant.bindings):,} points of {len(stand.plant.devices)} meters behind "
        f"{len(stand.plant.connections)} gateways at 10 s; the database killed for {minutes:g} min.",
        (
            Figure("readings a second during the outage", round(missed / (minutes * 60)), "1/s"),
            Figure("readings that waited", missed, ""),
            Figure("spool at the end of the outage", round(held_bytes / missed, 1), "bytes a reading"),
            Figure(
                "collector connected again after",
                round(course.live_from_s or 0.0, 1),
                "s",
                "back-off <= 15 s",
            ),
            Figure("backlog gone after", round(gone_s, 1), "s", "<= 60 s", gone_s <= GONE_WITHIN_S),
            Figure(
                "age of the newest stored reading meanwhile, at most",
                round(course.worst_age_s, 2),
                "s",
                "<= 2 s",
                course.worst_age_s <= NEVER_LATER_S,
            ),
            Figure("lost", (sent - stored).total(), "", "0", not sent - stored),
            Figure("doubled", (stored - sent).total(), "", "0", not stored - sent),
        ),
        ("second", "age of the newest reading, s", "spool, bytes"),
        [(round(at), round(age, 2), held) for at, age, held in course.looks[:: round(2.5 / LOOK_EVERY_S)]],
    )


async def _until_stored(stand: SoakStand) -> float:
    """Seconds until all is stored that had been given two seconds before."""
    began = time.monotonic()
    async with asyncio.timeout(LONGEST_S):
        while True:
            owed = (await stand.served()).total()
            await asyncio.sleep(NEVER_LATER_S)
            looked_at = time.monotonic()
            try:
                if (await stand.stored()).total() >= owed:
                    return looked_at - began
            except RetryLater:
                await asyncio.sleep(LOOK_EVERY_S)


async def _watch(stand: SoakStand, course: _Course) -> None:
    began = time.monotonic()
    while True:
        age = await stand.newest_age_s()
        at = time.monotonic() - began
        if age is not None:
            if course.live_from_s is None and age < NEVER_LATER_S:
                course.live_from_s = at
            course.looks.append((at, age, stand.spool_bytes()))
        await asyncio.sleep(LOOK_EVERY_S)
