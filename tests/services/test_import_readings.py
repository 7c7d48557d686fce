"""Old readings from a file: compared, stored once, mistakes told by line, summer time kept apart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.site import Site
from energy_center.errors import ConfigError
from energy_center.services.import_readings import ImportReport, import_readings, read_map
from energy_center.store.pool import Database
from tests.services.city_hall import NOW, applied, point_of, write

# Germany ended summer time on 2025-10-26 at 03:00 and began it on 2026-03-29 at 02:00
FILE = """Zeit;Leistung
2025-10-26 01:30;1.000,0
2025-10-26 02:30;2.000
2025-10-26 02:30;3.000
2025-10-26 03:30;
2026-03-29 02:30;5.000
2026-03-29 03:30;much
"""


@pytest.fixture
async def site(database: Database) -> Site:
    return await applied(database)


async def bring(db: Database, site: Site, folder: Path, text: str, *, dry_run: bool = False) -> ImportReport:
    power = point_of(site, "main", Role.ACTIVE_POWER)
    (folder / "old.csv").write_text(text, encoding="utf-8")
    (folder / "map.yaml").write_text(
        'time: Zeit\nzone: Europe/Berlin\nformat: "%Y-%m-%d %H:%M"\ndelimiter: ";"\n'
        f"columns: {{Leistung: {{equipment: main, point: {power.name}, unit: W}}}}\n"
    )
    return await import_readings(
        db,
        site,
        folder / "old.csv",
        read_map(folder / "map.yaml"),
        NOW + timedelta(days=400),
        dry_run=dry_run,
    )


async def held(db: Database, site: Site) -> list[tuple[datetime, float]]:
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT ts, value FROM reading WHERE point_id = $1 ORDER BY ts",
            point_of(site, "main", Role.ACTIVE_POWER).point_id,
        )
    return [(row["ts"], row["value"]) for row in rows]


async def test_file_is_compared_then_stored_once(database: Database, site: Site, tmp_path: Path) -> None:
    text = FILE.replace("1.000,0", "1000").replace("2.000", "2000").replace("3.000", "3000")
    first = await bring(database, site, tmp_path, text, dry_run=True)
    assert (first.new, first.same, first.different, first.empty) == (3, 0, 0, 1)
    assert await held(database, site) == []
    await bring(database, site, tmp_path, text)
    assert await held(database, site) == [
        (datetime(2025, 10, 25, 23, 30, tzinfo=UTC), 1.0),
        (datetime(2025, 10, 26, 0, 30, tzinfo=UTC), 2.0),  # summer time
        (datetime(2025, 10, 26, 1, 30, tzinfo=UTC), 3.0),  # the same hour again, winter time
    ]
    again = await bring(database, site, tmp_path, text)
    assert (again.new, again.same, again.different) == (0, 3, 0)


async def test_stored_reading_is_kept_and_the_difference_told(
    database: Database, site: Site, tmp_path: Path
) -> None:
    at = datetime(2025, 10, 25, 23, 30, tzinfo=UTC)
    await write(database, point_of(site, "main", Role.ACTIVE_POWER).point_id, [at], [7.0])
    report = await bring(database, site, tmp_path, "Zeit;Leistung\n2025-10-26 01:30;1000\n")
    assert report.different == 1
    assert report.differences == [f"{tmp_path}/old.csv:2: 1; stored is 7, which is kept"]
    assert await held(database, site) == [(at, 7.0)]


async def test_each_mistake_is_told_with_its_line(database: Database, site: Site, tmp_path: Path) -> None:
    report = await bring(
        database, site, tmp_path, "Zeit;Leistung\n2026-03-29 02:30;5\n29.3.;5\n2026-03-29 03:30;much\n"
    )
    assert [e.removeprefix(f"{tmp_path}/old.csv:") for e in report.errors] == [
        "2: time '2026-03-29 02:30'; expected a time that Europe/Berlin has, its clock skips this one",
        "3: time '29.3.'; expected %Y-%m-%d %H:%M",
        "4: Leistung 'much'; expected a number",
    ]


async def test_missing_column_and_unknown_key_are_said(
    database: Database, site: Site, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="no column Leistung"):
        await bring(database, site, tmp_path, "Zeit;Strom\n2026-01-01 00:00;1\n")
    (tmp_path / "bad.yaml").write_text("time: t\ncolumn: {}\n")
    with pytest.raises(ConfigError, match="unknown key 'column'"):
        read_map(tmp_path / "bad.yaml")
