"""Readings that are not stored, or not yet, kept on disk where they can be looked at (`collectors.spooled`).

`unknown`: of points that the applied site does not have; stored once a site is applied that has them.
`future`: stamped over five minutes after now, or before this program was written, by a clock that was not
set. Nothing tells when they were measured, so they never count.
`refused`: what the database does not take though it takes others, such as a number beyond its range.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from collectors.spool import Spool, SpoolLimits

FUTURE_US = 300_000_000  # clocks differ by less; a stamp beyond this is wrong
EARLIEST_US = 1_704_067_200_000_000  # 2024-01-01 UTC
_UNKNOWN = SpoolLimits(max_bytes=256 * 1024**2, window_s=0.0)
_FUTURE = SpoolLimits(max_bytes=64 * 1024**2, window_s=0.0)


@dataclass(frozen=True, slots=True)
class SetAside:
    """All kinds, bounded as any spool: the oldest go first, and are counted."""

    unknown: Spool
    future: Spool
    refused: Spool

    @classmethod
    def below(cls, folder: Path) -> Self:
        """In the spool's folder, beside its own segments; raises OSError."""
        return cls(
            Spool(folder / "unknown-points", _UNKNOWN),
            Spool(folder / "future-stamps", _FUTURE),
            Spool(folder / "refused", _FUTURE),
        )

    async def run(self) -> None:
        """Commit what is appended until `stop`."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.unknown.run())
            tasks.create_task(self.future.run())
            tasks.create_task(self.refused.run())

    def stop(self) -> None:
        """Let `run` finish."""
        self.unknown.stop()
        self.future.stop()
        self.refused.stop()
