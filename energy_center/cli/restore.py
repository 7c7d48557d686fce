"""`energy-center restore`: restore a backup into an empty database and check it."""

import argparse
import asyncio
from pathlib import Path

from energy_center.cli.backup import show
from energy_center.settings import Settings
from energy_center.store.backup import Backup, restore
from energy_center.store.installation import installed_database

SUMMARY = "restore a backup into an empty database"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to restore, and how to print what was restored."""
    parser.add_argument("file", type=Path, help="a file that `backup` wrote, with its .rows.json beside it")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Exit 0 when every table holds the rows that the backup counted."""
    show(asyncio.run(_run(args.file)), args.format, "restored")
    return 0


async def _run(file: Path) -> Backup:
    async with installed_database(Settings(), min_size=0) as database:
        return await restore(database, file.absolute())
