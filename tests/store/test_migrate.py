"""Migrations: applied once, in order, never changed, never lost."""

import shutil
from pathlib import Path

import pytest

from energy_center.errors import MigrationError
from energy_center.store.migrate import migrate, pending_migrations, shipped
from energy_center.store.pool import Database


@pytest.fixture
def copy_of_migrations(tmp_path: Path) -> Path:
    for migration in shipped():
        (tmp_path / f"{migration.name}.sql").write_text(migration.sql)
    return tmp_path


async def test_a_second_run_applies_nothing(empty_database: Database) -> None:
    assert await pending_migrations(empty_database) == [m.name for m in shipped()]
    assert await migrate(empty_database) == [m.name for m in shipped()]
    assert await pending_migrations(empty_database) == []
    assert await migrate(empty_database) == []


async def test_a_changed_migration_is_refused_by_name(
    empty_database: Database, copy_of_migrations: Path
) -> None:
    await migrate(empty_database, copy_of_migrations)
    first = copy_of_migrations / f"{shipped()[0].name}.sql"
    first.write_text(first.read_text() + "\n-- changed\n")
    with pytest.raises(MigrationError, match=f"changed after they had been applied: {shipped()[0].name}"):
        await pending_migrations(empty_database, copy_of_migrations)


async def test_a_migration_of_a_newer_program_is_refused(
    empty_database: Database, copy_of_migrations: Path
) -> None:
    (copy_of_migrations / "9999_later.sql").write_text("SELECT 1")
    await migrate(empty_database, copy_of_migrations)
    with pytest.raises(MigrationError, match="does not know: 9999_later"):
        await migrate(empty_database)


async def test_a_failing_migration_leaves_no_trace(
    empty_database: Database, copy_of_migrations: Path
) -> None:
    (copy_of_migrations / "9999_bad.sql").write_text("CREATE TABLE half (a int); SELECT 1 / 0")
    with pytest.raises(MigrationError, match="9999_bad failed: division by zero"):
        await migrate(empty_database, copy_of_migrations)
    async with empty_database.connection() as connection:
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        applied = await connection.fetchval("SELECT count(*) FROM schema_migration")
    assert applied == len(shipped())


def test_two_files_with_one_number_are_refused(copy_of_migrations: Path) -> None:
    name = shipped()[0].name
    shutil.copy(copy_of_migrations / f"{name}.sql", copy_of_migrations / f"{name[:4]}_twin.sql")
    with pytest.raises(MigrationError, match="Two migrations carry the number"):
        shipped(copy_of_migrations)
