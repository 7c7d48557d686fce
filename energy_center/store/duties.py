"""Duties taken on, what was done for them, and the papers that prove it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from energy_center.domain.duties import Deed, Evidence
from energy_center.domain.duty_records import Adoption, DutyRecord, Paper
from energy_center.store.pool import Connection, Record

MOST_ADOPTIONS = 5_000

_ADOPTION = """adoption_id, duty_id, subject_id, starts_on, recurrence, responsible, version, adopted_by,
    adopted_at, retired_at"""
_DEED = """deed_id, adoption_id, due_on, done_on, is_waived, done_by, note, recorded_by, recorded_at,
    undone_at"""


async def insert_adoption(
    conn: Connection,
    duty_id: str,
    subject_id: str,
    starts_on: date,
    recurrence: str,
    responsible: str,
    actor: str,
    now: datetime,
) -> Adoption | None:
    """Take a duty on; None where it is taken on for this subject already."""
    row = await conn.fetchrow(
        f"""INSERT INTO duty_adoption (duty_id, subject_id, starts_on, recurrence, responsible, adopted_by,
            adopted_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING {_ADOPTION}""",  # noqa: S608 constant text
        duty_id,
        subject_id,
        starts_on,
        recurrence,
        responsible,
        actor,
        now,
    )
    return _adoption(row) if row else None


async def lock_adoption(conn: Connection, adoption_id: int) -> Adoption | None:
    """One duty taken on, locked until the transaction ends."""
    row = await conn.fetchrow(
        f"SELECT {_ADOPTION} FROM duty_adoption WHERE adoption_id = $1 FOR UPDATE",  # noqa: S608 constant text
        adoption_id,
    )
    return _adoption(row) if row else None


async def update_adoption(conn: Connection, adoption: Adoption) -> Adoption | None:
    """Write what may change, one version on; None where the duty is taken on for this subject again."""
    is_taken = await conn.fetchval(
        """SELECT EXISTS (SELECT FROM duty_adoption WHERE duty_id = $1 AND subject_id = $2
            AND retired_at IS NULL AND adoption_id <> $3 AND $4)""",
        adoption.duty_id,
        adoption.subject_id,
        adoption.adoption_id,
        adoption.retired_at is None,
    )
    if is_taken:
        return None
    row = await conn.fetchrow(
        f"""UPDATE duty_adoption SET starts_on = $2, recurrence = $3, responsible = $4, retired_at = $5,
            version = version + 1 WHERE adoption_id = $1 RETURNING {_ADOPTION}""",  # noqa: S608 constant text
        adoption.adoption_id,
        adoption.starts_on,
        adoption.recurrence,
        adoption.responsible,
        adoption.retired_at,
    )
    assert row is not None  # noqa: S101 the caller holds its lock
    return _adoption(row)


async def list_adoptions(conn: Connection, only: int | None = None) -> list[Adoption]:
    """The duties that are or were taken on, or the one numbered `only`; retired ones last, oldest first."""
    rows = await conn.fetch(
        f"SELECT {_ADOPTION} FROM duty_adoption WHERE $2::bigint IS NULL OR adoption_id = $2 "  # noqa: S608
        "ORDER BY retired_at IS NOT NULL, adoption_id LIMIT $1",
        MOST_ADOPTIONS,
        only,
    )
    return [_adoption(row) for row in rows]


async def insert_deed(
    conn: Connection,
    adoption_id: int,
    deed: Deed,
    done_by: str,
    note: str,
    papers: Sequence[Paper],
    actor: str,
    now: datetime,
) -> int | None:
    """Record a deed with its papers; None where one holds for this due date already."""
    deed_id = await conn.fetchval(
        """INSERT INTO duty_deed (adoption_id, due_on, done_on, is_waived, done_by, note, recorded_by,
            recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING deed_id""",
        adoption_id,
        deed.due_on,
        deed.done_on,
        deed.is_waived,
        done_by,
        note,
        actor,
        now,
    )
    if deed_id is None:
        return None
    await conn.executemany(
        """INSERT INTO duty_evidence (deed_id, position, kind, attachment_id, reference)
            VALUES ($1, $2, $3, $4, $5)""",
        [(deed_id, i, p.kind.value, p.attachment_id, p.reference) for i, p in enumerate(papers)],
    )
    return int(deed_id)


async def lock_record(conn: Connection, deed_id: int) -> DutyRecord | None:
    """One record, locked until the transaction ends."""
    row = await conn.fetchrow(
        f"SELECT {_DEED} FROM duty_deed WHERE deed_id = $1 FOR UPDATE",  # noqa: S608 constant text
        deed_id,
    )
    if row is None:
        return None
    papers = await _papers(conn, [deed_id])
    return _record(row, papers[deed_id])


async def mark_undone(conn: Connection, deed_id: int, actor: str, now: datetime) -> None:
    """Let a record hold no longer."""
    await conn.execute(
        "UPDATE duty_deed SET undone_by = $2, undone_at = $3 WHERE deed_id = $1", deed_id, actor, now
    )


async def records_between(conn: Connection, first: date, end: date) -> list[DutyRecord]:
    """The records that hold for due dates in [first, end), by due date."""
    rows = await conn.fetch(
        f"SELECT {_DEED} FROM duty_deed WHERE due_on >= $1 AND due_on < $2 AND undone_at IS NULL "  # noqa: S608
        "ORDER BY due_on, deed_id LIMIT 100000",
        first,
        end,
    )
    papers = await _papers(conn, [row["deed_id"] for row in rows])
    return [_record(row, papers[row["deed_id"]]) for row in rows]


async def _papers(conn: Connection, deed_ids: list[int]) -> dict[int, list[Paper]]:
    rows = await conn.fetch(
        """SELECT deed_id, kind, attachment_id, reference FROM duty_evidence WHERE deed_id = ANY($1)
            ORDER BY deed_id, position LIMIT 1000000""",
        deed_ids,
    )
    papers: dict[int, list[Paper]] = defaultdict(list)
    for row in rows:
        papers[row["deed_id"]].append(Paper(Evidence(row["kind"]), row["attachment_id"], row["reference"]))
    return papers


def _adoption(row: Record) -> Adoption:
    return Adoption(**dict(row))


def _record(row: Record, papers: list[Paper]) -> DutyRecord:
    return DutyRecord(
        deed_id=row["deed_id"],
        adoption_id=row["adoption_id"],
        deed=Deed(row["due_on"], row["done_on"], row["is_waived"]),
        done_by=row["done_by"],
        note=row["note"],
        papers=tuple(papers),
        recorded_by=row["recorded_by"],
        recorded_at=row["recorded_at"],
        undone_at=row["undone_at"],
    )
