"""`energy-center import SOURCE`: interval files, workbooks, old readings, compared before they are stored."""  # noqa: N999  the word of the command

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from energy_center.cli import out
from energy_center.cli.csv_options import add_layout_arguments, csv_options
from energy_center.errors import ConfigError, Invalid
from energy_center.services.current_site import current_site
from energy_center.services.import_map import read_map
from energy_center.services.import_readings import ImportReport, PointReport, import_by_map, import_export
from energy_center.services.import_source import Source, opened
from energy_center.settings import Settings
from energy_center.store.installation import installed_database

SUMMARY = "bring in old readings from a CSV file or workbook, on disk or fetched"
_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("source", help="CSV or XLSX: a path, or an http(s) address that is fetched")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--map", type=Path, help="YAML: time, zone, columns and their points")
    way.add_argument(
        "--point", metavar="EQUIPMENT/POINT", help="an export of this point; its layout is found out"
    )
    parser.add_argument("--sheet", help="of a workbook with several")
    parser.add_argument(
        "--register-at-start", type=float, metavar="NUMBER", help="with --point, for energies: where it stood"
    )
    parser.add_argument("--dry-run", action="store_true", help="compare only, store nothing")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_layout_arguments(parser.add_argument_group("with --point, where the file leaves it open"))


def run(args: argparse.Namespace) -> int:
    """Import; 0 when every line could be read, else 1."""
    if args.map is not None and _layout_said(args):
        raise Invalid(f"{_layout_said(args)}: the map says how the file is written; say it there")
    with opened(args.source, args.sheet) as source:
        try:
            report = asyncio.run(_import(args, source))
        except ConfigError as cause:
            raise ConfigError([source.told(mistake) for mistake in cause.mistakes]) from cause
        (_tell_json if args.format == "json" else _tell)(args, source, report)
    return 1 if report.errors else 0


def _layout_said(args: argparse.Namespace) -> str:
    """The first option that only goes with --point; empty when none was given."""
    unsaid = {"column": [], "only": [], "zone": "Asia/Taipei"}
    names = ("column", "only", "zone", "quantity", "unit", "stamp", "date_order", "decimal", "delimiter")
    given = [
        n for n in (*names, "encoding", "interval", "register_at_start") if getattr(args, n) != unsaid.get(n)
    ]
    return f"--{given[0].replace('_', '-')}" if given else ""


async def _import(args: argparse.Namespace, source: Source) -> ImportReport:
    wanted = None if args.map is None else read_map(args.map)
    async with installed_database(Settings()) as db:
        site, now = await current_site(db), datetime.now(UTC)
        if wanted is not None:
            return await import_by_map(db, site, source.path, wanted, now, dry_run=args.dry_run)
        return await import_export(
            db,
            site,
            source.path,
            args.point,
            csv_options(args),
            now,
            register_at_start=args.register_at_start,
            dry_run=args.dry_run,
        )


def _tell(args: argparse.Namespace, source: Source, report: ImportReport) -> None:
    for sentence in report.assumptions:
        out.error(sentence)
    examples = [d for p in report.points for d in p.differences]
    for sentence in [*report.errors[:_SHOWN], *examples]:
        out.line(source.told(sentence))
    hidden = len(report.errors[_SHOWN:]) + report.more_errors
    if hidden:
        out.line(
            f"{hidden:,} more errors" + (" (--format json lists them)" if report.errors[_SHOWN:] else "")
        )
    out.table(
        ("point", "unit", "new", "same", "different", "first", "last"),
        [
            (
                "/".join(p.point.key),
                p.point.unit,
                p.new,
                p.same,
                p.different,
                *(_short(t) for t in (p.first, p.last)),
            )
            for p in report.points
        ],
    )
    told = "would be stored" if args.dry_run else "stored"
    count = len(report.errors) + report.more_errors
    out.line(
        f"{report.new:,} new, {told}; {report.same:,} the same; "
        f"{report.different:,} different, kept as stored; {report.empty:,} empty; {count:,} errors"
    )


def _short(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")


def _tell_json(args: argparse.Namespace, source: Source, report: ImportReport) -> None:
    out.as_json(
        {
            "source": source.shown,
            "stored": not args.dry_run,
            "points": [_point_document(source, p) for p in report.points],
            "empty": report.empty,
            "errors": [source.told(e) for e in report.errors],
            "error_count": len(report.errors) + report.more_errors,
            "assumptions": report.assumptions,
        }
    )


def _point_document(source: Source, report: PointReport) -> dict[str, object]:
    equipment, name = report.point.key
    return {
        "equipment": equipment,
        "point": name,
        "unit": report.point.unit,
        "new": report.new,
        "same": report.same,
        "different": report.different,
        "first": _short(report.first) or None,
        "last": _short(report.last) or None,
        "differences": [source.told(d) for d in report.differences],
    }
