"""`energy-center migrate`: bring the database up to date, or say what is missing."""

import argparse
import asyncio
from pathlib import Path

from energy_center.cli import out
from energy_center.errors import EnvironmentProblem
from energy_center.settings import Settings, default_state_dir
from energy_center.store.embedded import is_prepared
from energy_center.store.installation import installed_database
from energy_center.store.migrate import migrate, pending_migrations
from energy_center.store.schema import dump_schema

SUMMARY = "bring the database up to date"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what to do and how to print it."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 when migrations are missing"
    )
    what.add_argument(
        "--write-schema",
        type=Path,
        metavar="FILE",
        help="write the schema as it stands, for migrations/schema.sql",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Exit 0 when the database is up to date, 1 when `--check` finds that it is not."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    settings = Settings()
    if args.check and settings.database_url is None:
        folder = settings.state_dir or default_state_dir()
        if not is_prepared(folder):
            raise EnvironmentProblem(
                f"There is no database to check: DATABASE_URL is not set, and {folder} holds none. "
                "`energy-center migrate` makes one there"
            )
    async with installed_database(settings, min_size=0) as database:
        names = await pending_migrations(database) if args.check else await migrate(database)
        if args.write_schema is not None:
            await asyncio.to_thread(args.write_schema.write_text, await dump_schema(database))
    if args.format == "json":
        out.as_json({"pending" if args.check else "applied": names})
    elif not names:
        out.line("The database is up to date.")
    else:
        for name in names:
            out.line(f"{'missing' if args.check else 'applied'}: {name}")
    return 1 if args.check and names else 0
