"""`energy-center duties`: take recurring duties on, and list what is due."""

import argparse
import asyncio
import getpass
from datetime import UTC, date, datetime, timedelta

from energy_center.cli import out
from energy_center.domain.people import Actor
from energy_center.services.adopt_duties import adopt_catalogue
from energy_center.services.duties import adopt, read_due
from energy_center.settings import Settings
from energy_center.store.installation import installed_database
from energy_center.store.pool import Database

SUMMARY = "recurring duties: take them on, list what is due"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command a deed."""
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    taken = deeds.add_parser(
        "adopt", help="take duties on: all that concern the site, or --duty for --subject"
    )
    taken.add_argument("--starts-on", type=date.fromisoformat, required=True, metavar="DATE")
    taken.add_argument("--duty", metavar="ID", help="one duty of the catalogue")
    taken.add_argument("--subject", metavar="ID", help="what it is done for: a space, an equipment, a name")
    due = deeds.add_parser("due", help="what is overdue, and what is due soon")
    due.add_argument("--days", type=int, default=30, help="so far ahead (default 30)")
    due.add_argument("--language", choices=("zh-TW", "en"), default="zh-TW")


def run(args: argparse.Namespace) -> int:
    """Do it and say so."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    if args.deed == "adopt" and (args.duty is None) != (args.subject is None):
        out.error("--duty and --subject go together")
        return 2
    async with installed_database(Settings(), min_size=0, max_size=1) as database:
        await (_adopt(database, args) if args.deed == "adopt" else _due(database, args))
    return 0


async def _adopt(database: Database, args: argparse.Namespace) -> None:
    actor, now = Actor("system:cli", f"local:{getpass.getuser()}"), datetime.now(UTC)
    if args.duty is None:
        made = await adopt_catalogue(database, args.starts_on, actor, now)
    else:
        made = [await adopt(database, args.duty, args.subject, args.starts_on, actor, now)]
    out.table(("number", "duty", "for"), [(a.adoption_id, a.duty_id, a.subject_id) for a in made])


async def _due(database: Database, args: argparse.Namespace) -> None:
    rows = await read_due(database, timedelta(days=args.days), datetime.now(UTC))
    lines = [
        (
            row.dates[0].due.due_on,
            row.dates[0].standing.value,
            row.duty.name.in_language(args.language),
            row.subject_name.in_language(args.language),
        )
        for row in rows
    ]
    out.table(("due", "standing", "duty", "for"), lines)
