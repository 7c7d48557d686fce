"""Readings that are not stored, or not yet, kept on disk where they can be looked at (`collectors.spooled`).

`unknown`: of points that the applied site does not have; stored once a site is applied that has them.
`future`: stamped over five minutes after now. Nothing tells when they were measured, so they never count.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from collectors.spool import Spool, SpoolLimits

FUTURE_US = 300_000_000  # clocks differ by less; a stamp beyond this is wrong
_UNKNOWN = SpoolLimits(max_bytes=256 * 1024**2, window_s=0.0)
_FUTURE = SpoolLimits(max_bytes=64 * 1024**2, window_s=0.0)


@dataclass(frozen=True, slots=True)
class SetAside:
    """Both kinds, bounded as any spool: the oldest go first, and are counted."""

    unknown: Spool
    future: Spool

    @classmethod
    def below(cls, folder: Path) -> Self:
        """In the spool's folder, beside its own segments; raises OSError."""
        return cls(Spool(folder / "unknown-points", _UNKNOWN), Spool(folder / "future-stamps", _FUTURE))

    async def run(self) -> None:
        """Commit what is appended until `stop`."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.unknown.run())
            tasks.create_task(self.future.run())

    def stop(self) -> None:
        """Let `run` finish."""
        self.unknown.stop()
        self.future.stop()
