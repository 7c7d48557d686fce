"""`energy-center readings`: correct readings, record a meter exchange, list both, undo either."""

import argparse
import asyncio
import getpass
from dataclasses import asdict
from datetime import UTC, datetime

from energy_center.cli import out
from energy_center.domain.meter_events import Correction, CorrectionKind, MeterEvent
from energy_center.domain.people import Actor
from energy_center.errors import Invalid
from energy_center.services import meter_events
from energy_center.services.meter_events import WantedCorrection, WantedExchange
from energy_center.settings import Settings
from energy_center.store.installation import installed_database
from energy_center.store.pool import Database

SUMMARY = "correct readings, record a meter exchange, undo either"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command a deed."""
    deeds = parser.add_subparsers(dest="deed", metavar="DEED", required=True)
    correct = deeds.add_parser("correct", help="change the readings of a period")
    _add_point(correct)
    correct.add_argument("--from", dest="start", type=_instant, required=True, help="ISO time with its zone")
    correct.add_argument("--to", dest="end", type=_instant, required=True, help="ISO time; not included")
    how = correct.add_mutually_exclusive_group(required=True)
    how.add_argument("--set", type=float, metavar="NUMBER", help="in the point's unit")
    how.add_argument("--add", type=float, metavar="NUMBER", help="in the point's unit")
    how.add_argument("--multiply", type=float, metavar="FACTOR")
    how.add_argument("--remove", action="store_true")
    exchange = deeds.add_parser("exchange", help="record that a meter was exchanged")
    _add_point(exchange)
    exchange.add_argument("--at", type=_instant, required=True, help="ISO time with its zone")
    exchange.add_argument("--old-last", type=float, required=True, help="the old meter's last register")
    exchange.add_argument("--new-first", type=float, required=True, help="the new meter's first register")
    listed = deeds.add_parser("list", help="list what was recorded, newest first")
    listed.add_argument("--equipment")
    listed.add_argument("--format", choices=("json", "text"), default="text")
    deeds.add_parser("undo", help="give the readings back").add_argument("number", type=int)


def _add_point(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("equipment", help="the meter's id in the site file")
    parser.add_argument("--point", default="energy_import")
    parser.add_argument("--reason", required=True)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901 has no zone, and is refused for that
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"found '{text}'; expected such as 2026-11-24T08:00+08:00")
    return at


def run(args: argparse.Namespace) -> int:
    """Do it and say what was done."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    async with installed_database(Settings(), min_size=0, max_size=1) as database:
        if args.deed == "list":
            await _list(database, args)
            return 0
        event = await _DEEDS[args.deed](database, args)
    out.line(_sentence(event))
    return 0


def _actor() -> Actor:
    return Actor("system:cli", f"local:{getpass.getuser()}")


def _correction(args: argparse.Namespace) -> Correction:
    if args.remove:
        return Correction(CorrectionKind.REMOVE)
    kind = next(k for k in CorrectionKind if getattr(args, k.value) not in {None, False})
    try:
        return Correction(kind, getattr(args, kind.value))
    except ValueError as cause:
        raise Invalid(f"--{kind.value}: {cause}") from cause


async def _correct(database: Database, args: argparse.Namespace) -> MeterEvent:
    wanted = WantedCorrection(
        args.equipment, args.point, args.start, args.end, _correction(args), args.reason
    )
    return await meter_events.correct_readings(database, wanted, None, _actor(), datetime.now(UTC))


async def _exchange(database: Database, args: argparse.Namespace) -> MeterEvent:
    wanted = WantedExchange(args.equipment, args.point, args.at, args.old_last, args.new_first, args.reason)
    return await meter_events.record_exchange(database, wanted, None, _actor(), datetime.now(UTC))


async def _undo(database: Database, args: argparse.Namespace) -> MeterEvent:
    return await meter_events.undo_event(database, args.number, None, _actor(), datetime.now(UTC))


_DEEDS = {"correct": _correct, "exchange": _exchange, "undo": _undo}


def _sentence(event: MeterEvent) -> str:
    what = " ".join(f"{name} {number}" for name, number in event.detail.items() if number is not None)
    undone = f", undone by {event.undone_by}" if event.undone_at else ""
    return (
        f"{event.meter_event_id}: {event.kind.value} of {event.equipment_id}/{event.point}, "
        f"{event.from_at:%F %T%z} to {event.to_at:%F %T%z}: {what}; {event.readings:,} readings{undone}"
    )


async def _list(database: Database, args: argparse.Namespace) -> None:
    events = await meter_events.list_events(database, equipment_id=args.equipment)
    if args.format == "json":
        out.as_json([asdict(event) for event in events])
        return
    for event in events:
        out.line(f"{_sentence(event)} ({event.made_by}: {event.reason})")
