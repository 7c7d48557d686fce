"""`migrations/schema.sql` is what all migrations make, object by object."""

from importlib.resources import files

from energy_center.store.pool import Database
from energy_center.store.schema import schema_objects


async def test_the_written_schema_equals_all_migrations(database: Database, empty_database: Database) -> None:
    written = (files("migrations") / "schema.sql").read_text(encoding="utf-8")
    async with empty_database.connection() as empty, database.connection() as migrated:
        await empty.execute(written)
        assert await schema_objects(empty) == await schema_objects(migrated), (
            "run `energy-center migrate --write-schema migrations/schema.sql` on an empty database"
        )
