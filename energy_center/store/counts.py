"""How many readings are stored for each point: what a fault run compares with what devices sent."""

import math

from energy_center.store.pool import Database

_PER_POINT = """
SELECT p.equipment_id, p.name, count(*) AS n
FROM reading AS r JOIN point AS p USING (point_id)
GROUP BY p.equipment_id, p.name
ORDER BY p.equipment_id, p.name"""

_INSTANTS = """
SELECT p.equipment_id, p.name, (extract(epoch FROM r.ts) * 1000000)::int8 AS at_us
FROM reading AS r JOIN point AS p USING (point_id)
ORDER BY p.equipment_id, p.name, r.ts
LIMIT 2000000"""

_NEWEST_AGE = "SELECT extract(epoch FROM clock_timestamp() - max(ts))::float8 AS age_s FROM latest"


async def readings_per_point(db: Database) -> dict[tuple[str, str], int]:
    """Stored readings by equipment and point; for a small database, since it reads all of it."""
    async with db.connection() as connection:
        rows = await connection.fetch(_PER_POINT)
    return {(row["equipment_id"], row["name"]): row["n"] for row in rows}


async def newest_age_s(db: Database) -> float:
    """Seconds since the newest stored reading was measured, by the database's clock; infinite without any."""
    async with db.connection() as connection:
        row = await connection.fetchrow(_NEWEST_AGE)
    return math.inf if row is None or row["age_s"] is None else float(row["age_s"])


async def reading_instants(db: Database) -> set[tuple[str, str, int]]:
    """Equipment, point and microseconds since 1970 of every stored reading, two million at most."""
    async with db.connection() as connection:
        rows = await connection.fetch(_INSTANTS)
    return {(row["equipment_id"], row["name"], row["at_us"]) for row in rows}
