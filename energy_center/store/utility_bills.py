"""Entered bills of the utility; of a month the newest that was not undone holds."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from energy_center.domain.utility_bills import BillOrigin, EnteredBill
from energy_center.store.pool import Connection, Record

_OF_MONTH = """
SELECT utility_bill_id, building_id, month, figures, origin, made_by, made_at, undone_by, undone_at
FROM utility_bill WHERE building_id = $1 AND month = $2
ORDER BY utility_bill_id DESC LIMIT $3"""
_ONE = """
SELECT utility_bill_id, building_id, month, figures, origin, made_by, made_at, undone_by, undone_at
FROM utility_bill WHERE utility_bill_id = $1 FOR UPDATE"""


async def lock_month(connection: Connection, building_id: str, month: date) -> None:
    """Let nobody else enter or undo this month until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 72))", f"{building_id} {month.isoformat()}"
    )


async def entries_of(connection: Connection, building_id: str, month: date, limit: int) -> list[EnteredBill]:
    """All entries of a month, newest first, undone ones too."""
    rows = await connection.fetch(_OF_MONTH, building_id, month, limit)
    return [_entered(row) for row in rows]


async def entry(connection: Connection, utility_bill_id: int) -> EnteredBill | None:
    """One entry, locked."""
    row = await connection.fetchrow(_ONE, utility_bill_id)
    return _entered(row) if row else None


async def insert_entry(
    connection: Connection,
    building_id: str,
    month: date,
    figures: Mapping[str, Decimal],
    origin: BillOrigin,
    made_by: str,
    now: datetime,
) -> int:
    """Add an entry; give its number."""
    return int(
        await connection.fetchval(
            "INSERT INTO utility_bill (building_id, month, figures, origin, made_by, made_at) "
            "VALUES ($1, $2, $3::text::jsonb, $4, $5, $6) RETURNING utility_bill_id",
            building_id,
            month,
            json.dumps({name: str(amount) for name, amount in figures.items()}),
            origin.value,
            made_by,
            now,
        )
    )


async def mark_undone(connection: Connection, utility_bill_id: int, by: str, now: datetime) -> None:
    """The entry holds no more; the one before it does again."""
    await connection.execute(
        "UPDATE utility_bill SET undone_by = $2, undone_at = $3 WHERE utility_bill_id = $1",
        utility_bill_id,
        by,
        now,
    )


def _entered(row: Record) -> EnteredBill:
    return EnteredBill(
        row["utility_bill_id"],
        row["building_id"],
        row["month"],
        {name: Decimal(amount) for name, amount in row["figures"].items()},
        BillOrigin(row["origin"]),
        row["made_by"],
        row["made_at"],
        row["undone_by"],
        row["undone_at"],
    )
