"""A backup of a living database comes back whole, and only into an empty one."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from energy_center.domain.quantities import Role
from energy_center.errors import Conflict, EnvironmentProblem
from energy_center.store.backup import back_up, restore
from energy_center.store.migrate import pending_migrations
from energy_center.store.pool import Database
from energy_center.store.readings import write_backlog, write_readings
from energy_center.store.rollups import roll_up
from energy_center.store.site import load_site
from tests.store.builders import NOW, apply, equipment, regular


async def fill(db: Database) -> None:
    site = await apply(db, equipment("ltb-main", [Role.ACTIVE_POWER, Role.ENERGY_IMPORT]))
    await write_readings(db, regular([p.point_id for p in site.points()], NOW, 1, 500), NOW)
    await roll_up(db, "Asia/Taipei", NOW)


async def test_a_backup_comes_back_whole(
    database: Database, empty_database: Database, tmp_path: Path
) -> None:
    await fill(database)
    written = await back_up(database, tmp_path / "a.dump", NOW)
    assert written.rows["reading"] == 1000
    restored = await restore(empty_database, tmp_path / "a.dump")
    assert restored.rows == written.rows
    assert restored.taken_at == NOW
    assert await load_site(empty_database) == await load_site(database)
    assert await pending_migrations(empty_database) == []
    assert await write_readings(empty_database, regular([1], NOW + timedelta(days=40), 1, 5), NOW) == 5


async def test_a_database_with_tables_is_refused(database: Database, tmp_path: Path) -> None:
    await back_up(database, tmp_path / "a.dump", NOW)
    with pytest.raises(Conflict, match="not empty"):
        await restore(database, tmp_path / "a.dump")


async def test_a_backup_never_replaces_a_file(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.dump").write_text("precious")
    with pytest.raises(Conflict, match="exists already"):
        await back_up(database, tmp_path / "a.dump", NOW)
    assert [p.name for p in tmp_path.iterdir()] == ["a.dump"]


async def test_a_difference_from_the_count_is_named(
    database: Database, empty_database: Database, tmp_path: Path
) -> None:
    await fill(database)
    await back_up(database, tmp_path / "a.dump", NOW)
    counts = tmp_path / "a.dump.rows.json"
    document = json.loads(counts.read_text())
    document["rows"]["latest"] = 99
    counts.write_text(json.dumps(document))
    with pytest.raises(Conflict, match="latest: 2 instead of 99"):
        await restore(empty_database, tmp_path / "a.dump")


async def test_a_damaged_file_leaves_the_database_empty(
    database: Database, empty_database: Database, tmp_path: Path
) -> None:
    await fill(database)
    await back_up(database, tmp_path / "a.dump", NOW)
    whole = (tmp_path / "a.dump").read_bytes()
    (tmp_path / "a.dump").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EnvironmentProblem, match="pg_restore"):
        await restore(empty_database, tmp_path / "a.dump")
    async with empty_database.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('reading')") is None


async def test_a_fault_half_way_is_named_and_leaves_the_database_as_it_was(
    database: Database, empty_database: Database, tmp_path: Path
) -> None:
    await fill(database)
    await write_backlog(database, regular([7], NOW, 1, 60_000), NOW)
    await back_up(database, tmp_path / "a.dump", NOW)
    async with empty_database.connection() as connection:
        await connection.execute(
            "CREATE FUNCTION audit_log_is_append_only() RETURNS int LANGUAGE sql AS 'SELECT 1'"
        )
    with pytest.raises(EnvironmentProblem, match=r"psql: .*already exists"):
        await restore(empty_database, tmp_path / "a.dump")
    async with empty_database.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('reading')") is None


async def test_a_folder_that_is_not_there_is_one_sentence(database: Database, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="No such file or directory"):
        await back_up(database, tmp_path / "none" / "a.dump", NOW)


async def test_a_missing_backup_is_one_sentence(empty_database: Database, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="There is no backup at"):
        await restore(empty_database, tmp_path / "a.dump")
