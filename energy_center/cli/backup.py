"""`energy-center backup`: write a backup of the running database."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from energy_center.cli import out
from energy_center.settings import Settings
from energy_center.store.backup import Backup, back_up
from energy_center.store.installation import installed_database

SUMMARY = "write a backup of the database"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to write, and how to print what was written."""
    parser.add_argument("file", type=Path, help="file to write, such as 2026-11-24.dump; it must not exist")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Exit 0 when the backup is complete."""
    show(asyncio.run(_run(args.file)), args.format, "written")
    return 0


async def _run(file: Path) -> Backup:
    async with installed_database(Settings()) as database:
        return await back_up(database, file.absolute(), datetime.now(UTC))


def show(backup: Backup, form: str, done: str) -> None:
    """Print what a backup holds."""
    rows = sum(count for table, count in backup.rows.items() if not table.startswith("reading_2"))
    if form == "json":
        document = {"file": str(backup.path), "taken_at": backup.taken_at, "bytes": backup.size_bytes}
        out.as_json({**document, "rows": rows, "tables": dict(backup.rows)})
    else:
        out.line(
            f"{done}: {backup.path} ({backup.size_bytes / 1e6:.1f} MB, {rows} rows, taken {backup.taken_at})"
        )
