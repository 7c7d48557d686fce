"""How far long jobs are, for the progress line on the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from energy_center.store.pool import Database


@dataclass(frozen=True, slots=True)
class JobProgress:
    """`done` of `total` steps; `eta_s` seconds to go, None when unknown; `failed` is the sentence to show."""

    job: str
    done: int
    total: int
    eta_s: float | None
    failed: str | None
    detail: Mapping[str, object]
    updated_at: datetime

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.done >= self.total


async def read_progress(db: Database) -> tuple[JobProgress, ...]:
    """Every job that ever reported, newest report first."""
    raise NotImplementedError
