"""`energy-center import FILE --map MAP`: utility interval files and old readings, compared before stored."""  # noqa: N999  the word of the command

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from energy_center.cli import out
from energy_center.services.current_site import current_site
from energy_center.services.import_readings import ImportReport, import_readings, read_map
from energy_center.settings import Settings
from energy_center.store.installation import installed_database

SUMMARY = "bring in old readings from a CSV file"
_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("file", type=Path, help="CSV with a heading line")
    parser.add_argument("--map", type=Path, required=True, help="YAML: time, zone, columns and their points")
    parser.add_argument("--dry-run", action="store_true", help="compare only, store nothing")


def run(args: argparse.Namespace) -> int:
    """Import; 0 when every line could be read, else 1."""
    report = asyncio.run(_import(args))
    for sentence in [*report.errors[:_SHOWN], *report.differences[:_SHOWN]]:
        out.line(sentence)
    told = "would be stored" if args.dry_run else "stored"
    out.line(
        f"{report.new:,} new, {told}; {report.same:,} the same; {report.different:,} different; "
        f"{report.empty:,} empty; {len(report.errors):,} errors"
    )
    return 1 if report.errors else 0


async def _import(args: argparse.Namespace) -> ImportReport:
    wanted = read_map(args.map)
    async with installed_database(Settings()) as db:
        site = await current_site(db)
        return await import_readings(db, site, args.file, wanted, datetime.now(UTC), dry_run=args.dry_run)
