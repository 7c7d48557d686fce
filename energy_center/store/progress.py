"""How far a long job is, for the page and for resuming."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from energy_center.store.pool import Connection, Database


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps; `detail` is the job's own."""

    job: str
    done: int
    total: int
    detail: Mapping[str, object]
    updated_at: datetime


async def set_progress(connection: Connection, progress: Progress) -> None:
    """Store a job's progress and notify channel `progress` with the job's name."""
    await connection.execute(
        "INSERT INTO job_progress (job, done, total, detail, updated_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (job) DO UPDATE SET done = excluded.done, total = excluded.total, "
        "detail = excluded.detail, updated_at = excluded.updated_at",
        progress.job,
        progress.done,
        progress.total,
        dict(progress.detail),
        progress.updated_at,
    )
    await connection.execute("SELECT pg_notify('progress', $1)", progress.job)


async def write_progress(db: Database, progress: Progress) -> None:
    """`set_progress` in a transaction of its own."""
    async with db.transaction() as connection:
        await set_progress(connection, progress)


async def read_progress(db: Database, job: str) -> Progress | None:
    """A job's progress, or None when it never started."""
    async with db.connection() as connection:
        row = await connection.fetchrow(
            "SELECT job, done, total, detail, updated_at FROM job_progress WHERE job = $1", job
        )
    return (
        None
        if row is None
        else Progress(row["job"], row["done"], row["total"], row["detail"], row["updated_at"])
    )
