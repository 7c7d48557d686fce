"""Old readings from a file: compared, stored once, mistakes told by line, summer time kept apart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.site import Site
from energy_center.errors import ConfigError
from energy_center.services.import_map import read_map
from energy_center.services.import_readings import ImportReport, import_by_map, import_export
from energy_center.services.meter_csv.model import CsvOptions, Quantity, Stamp
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
    return await import_by_map(
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
    assert report.points[0].differences == [
        f"{tmp_path}/old.csv:2: 2025-10-25T23:30:00+00:00 1; stored is 7, which is kept"
    ]
    assert await held(database, site) == [(at, 7.0)]


async def test_each_mistake_is_told_with_its_line(database: Database, site: Site, tmp_path: Path) -> None:
    report = await bring(
        database, site, tmp_path, "Zeit;Leistung\n2026-03-29 02:30;5\n29.3.;5\n2026-03-29 03:30;much\n"
    )
    assert [e.removeprefix(f"{tmp_path}/old.csv:") for e in report.errors] == [
        "2: Zeit '2026-03-29 02:30'; expected a time that Europe/Berlin has, its clock skips this one",
        "3: Zeit '29.3.'; expected %Y-%m-%d %H:%M",
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


COUNTER = Role.ENERGY_IMPORT
ENERGIES = """time,kWh
2026-01-01 00:15,1.5
2026-01-01 00:30,2
2026-01-01 00:45,0
"""


async def bring_energies(
    db: Database,
    site: Site,
    folder: Path,
    text: str,
    role: Role = COUNTER,
    *,
    stamp: str = "end",
    more: str = "",
) -> ImportReport:
    point = point_of(site, "main", role)
    (folder / "energies.csv").write_text(text, encoding="utf-8")
    (folder / "map.yaml").write_text(
        f"time: time\nstamp: {stamp}\ninterval: 15min\n"
        f"columns: {{kWh: {{equipment: main, point: {point.name}, holds: energy, unit: kWh{more}}}}}\n"
    )
    wanted = read_map(folder / "map.yaml")
    return await import_by_map(
        db, site, folder / "energies.csv", wanted, NOW + timedelta(days=400), dry_run=False
    )


async def values_of(db: Database, site: Site, role: Role) -> list[tuple[str, float]]:
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT ts, value FROM reading WHERE point_id = $1 ORDER BY ts",
            point_of(site, "main", role).point_id,
        )
    return [(f"{row['ts']:%m-%d %H:%M}", row["value"]) for row in rows]


# 00:00 in Taipei is 16:00 of the day before in UTC
REGISTER = [("12-31 16:00", 0.0), ("12-31 16:15", 1.5), ("12-31 16:30", 3.5), ("12-31 16:45", 3.5)]


@pytest.mark.parametrize("stamp", ["end", "start"])
async def test_energies_become_a_running_register_that_is_stored_once(
    database: Database, site: Site, tmp_path: Path, stamp: str
) -> None:
    shifted = (
        ENERGIES
        if stamp == "end"
        else ENERGIES.replace(":15", ":00").replace(":30", ":15").replace(":45", ":30")
    )
    first = await bring_energies(database, site, tmp_path, shifted, stamp=stamp)
    assert (first.new, first.points[0].first) == (4, datetime(2025, 12, 31, 16, tzinfo=UTC))
    assert await values_of(database, site, COUNTER) == REGISTER
    again = await bring_energies(database, site, tmp_path, shifted, stamp=stamp)
    assert (again.new, again.same, again.different) == (0, 4, 0)


async def test_next_file_goes_on_where_the_last_one_ended(
    database: Database, site: Site, tmp_path: Path
) -> None:
    await bring_energies(database, site, tmp_path, ENERGIES)
    report = await bring_energies(database, site, tmp_path, "time,kWh\n2026-01-01 01:00,10\n")
    assert (report.new, report.same) == (1, 1)
    assert (await values_of(database, site, COUNTER))[-1] == ("12-31 17:00", 13.5)


async def test_energies_that_join_no_reading_need_the_register(
    database: Database, site: Site, tmp_path: Path
) -> None:
    await bring_energies(database, site, tmp_path, ENERGIES)
    later = "time,kWh\n2026-01-02 00:15,10\n"
    with pytest.raises(ConfigError, match=r"none at 2026-01-01T16:00:00.* say what the register stood at"):
        await bring_energies(database, site, tmp_path, later)
    await bring_energies(database, site, tmp_path, later, more=", register_at_start: 100")
    assert (await values_of(database, site, COUNTER))[-2:] == [("01-01 16:00", 100.0), ("01-01 16:15", 110.0)]


async def test_register_does_not_run_over_a_gap_and_nothing_is_stored(
    database: Database, site: Site, tmp_path: Path
) -> None:
    gap = ENERGIES.replace("2026-01-01 00:30,2\n", "2026-01-01 00:30,\n")
    with pytest.raises(
        ConfigError, match=r"nothing from 2025-12-31T16:15.* to 2025-12-31T16:30.*active_power"
    ):
        await bring_energies(database, site, tmp_path, gap)
    assert await values_of(database, site, COUNTER) == []


async def test_energies_become_mean_power_with_its_gaps(
    database: Database, site: Site, tmp_path: Path
) -> None:
    gap = ENERGIES.replace("2026-01-01 00:30,2\n", "2026-01-01 00:30,\n")
    report = await bring_energies(database, site, tmp_path, gap, Role.ACTIVE_POWER)
    assert report.empty == 1
    assert await values_of(database, site, Role.ACTIVE_POWER) == [("12-31 16:00", 6.0), ("12-31 16:30", 0.0)]


async def test_values_of_intervals_need_to_be_told_which_end_is_stamped(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(
        "time: t\ncolumns: {kWh: {equipment: main, point: energy_import, holds: energy}}\n"
    )
    with pytest.raises(ConfigError, match="say stamp \\(start or end\\) and interval"):
        read_map(tmp_path / "map.yaml")


async def test_export_whose_layout_is_found_out_is_stored_with_what_was_assumed(
    database: Database, site: Site, tmp_path: Path
) -> None:
    lines = [
        f"2026/01/{1 + n // 96:02d} {n % 96 // 4:02d}:{n % 4 * 15:02d};{n % 7 + 0.5}" for n in range(192)
    ]
    (tmp_path / "utility.csv").write_text("Time;Energy (kWh)\n" + "\n".join(lines) + "\n")
    options = CsvOptions(stamp=Stamp.START, quantity=Quantity.ENERGY)
    name = f"main/{point_of(site, 'main', COUNTER).name}"
    late = NOW + timedelta(days=400)
    report = await import_export(
        database, site, tmp_path / "utility.csv", name, options, late, register_at_start=1000.0, dry_run=False
    )
    assert (report.new, report.errors) == (193, [])
    assert any("decimal mark" in sentence for sentence in report.assumptions)
    held = await values_of(database, site, COUNTER)
    assert held[0] == ("12-31 16:00", 1000.0)
    assert held[-1] == ("01-02 16:00", 1000.0 + sum(n % 7 + 0.5 for n in range(192)))


async def test_export_in_another_unit_or_for_no_point_is_refused(
    database: Database, site: Site, tmp_path: Path
) -> None:
    lines = [f"2026-01-01 {n:02d}:00,{n}.5" for n in range(24)]
    (tmp_path / "utility.csv").write_text("time,kW\n" + "\n".join(lines) + "\n")
    options = CsvOptions(stamp=Stamp.START, quantity=Quantity.POWER)
    for name, why in (
        (f"main/{point_of(site, 'main', COUNTER).name}", "the values are power in kW"),
        ("main/nothing", "the site has no such point; main has"),
    ):
        with pytest.raises(ConfigError, match=why):
            await import_export(
                database,
                site,
                tmp_path / "utility.csv",
                name,
                options,
                NOW + timedelta(days=400),
                dry_run=True,
            )
