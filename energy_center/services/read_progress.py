"""How far long jobs are, for the progress line on the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from energy_center.store.overview import all_progress
from energy_center.store.pool import Database
from energy_center.store.progress import Progress


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
    return tuple(_job(progress) for progress in await all_progress(db))


def _job(progress: Progress) -> JobProgress:
    eta, failed = progress.detail.get("eta_s"), progress.detail.get("failed")
    return JobProgress(
        job=progress.job,
        done=progress.done,
        total=progress.total,
        eta_s=float(eta) if isinstance(eta, int | float) else None,
        failed=str(failed) if failed else None,
        detail=progress.detail,
        updated_at=progress.updated_at,
    )
