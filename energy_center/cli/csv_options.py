"""The options with which a person says how an export file is written; shared by commands that read one."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from energy_center.cli import out
from energy_center.errors import Invalid
from energy_center.services.meter_csv.model import Assumption, CsvOptions, DateOrder, Export, Quantity, Stamp

_SHOWN = 20


def add_csv_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Declare them; what is left out is found out from the file and told."""
    parser.add_argument("--csv", type=Path, required=required, metavar="FILE", help="the export")
    add_layout_arguments(parser)


def add_layout_arguments(parser: argparse._ActionsContainer) -> None:
    """How the file is written, for a command that takes the file in its own way."""
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="ROLE=NAME",
        help="time, date or value; a name or number",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME=TEXT",
        help="only lines with this text in the column",
    )
    parser.add_argument("--zone", default="Asia/Taipei", help="time zone of the stamps; Etc/GMT-8 is UTC+8")
    parser.add_argument("--quantity", choices=[q.value for q in Quantity], help="what the numbers are")
    parser.add_argument("--unit", help="kWh, MWh, Wh, kW, MW, W, kvarh, kvar or m3")
    parser.add_argument(
        "--stamp", choices=[s.value for s in Stamp], help="the end of the interval that stamps name"
    )
    parser.add_argument("--date-order", choices=[o.value for o in DateOrder], help="how 03/04/05 is read")
    parser.add_argument("--decimal", choices=[".", ","], help="the decimal mark")
    parser.add_argument("--delimiter", help="what parts cells; tab for a tabulator")
    parser.add_argument("--encoding", help="such as utf-8 or big5")
    parser.add_argument("--interval", type=_minutes, metavar="MINUTES", help="length of an interval")


def csv_options(args: argparse.Namespace) -> CsvOptions:
    """What was said."""
    return CsvOptions(
        columns=_pairs("--column", args.column),
        only=_pairs("--only", args.only),
        zone=args.zone,
        quantity=None if args.quantity is None else Quantity(args.quantity),
        unit=args.unit,
        stamp=None if args.stamp is None else Stamp(args.stamp),
        date_order=None if args.date_order is None else DateOrder(args.date_order),
        decimal=args.decimal,
        delimiter="\t" if args.delimiter == "tab" else args.delimiter,
        encoding=args.encoding,
        interval_s=None if args.interval is None else args.interval * 60,
    )


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"found '{text}'; expected minutes, such as 15")
    return minutes


def _pairs(option: str, words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name or not text:
            raise Invalid(f"{option} {word}: expected NAME=TEXT")
        found[name.strip()] = text.strip()
    return found


def tell_assumptions(assumptions: Sequence[Assumption]) -> None:
    """Say on standard error what was assumed, so that tables on standard output stay clean."""
    for assumption in assumptions:
        out.error(f"{assumption.text}  [{'told' if assumption.is_told else assumption.option}]")


def tell_unusable(export: Export) -> None:
    """Say on standard error which cells could not be used."""
    for bad in export.bad[:_SHOWN]:
        out.error(bad.sentence(export.file))
    if export.bad_count > _SHOWN:
        out.error(f"{export.file}: {export.bad_count - _SHOWN:,} more lines could not be used")
    if export.empty or export.repeated:
        out.error(f"{export.empty:,} empty cells; {export.repeated:,} lines repeat another one exactly")


def export_document(export: Export, assumptions: Sequence[Assumption]) -> dict[str, object]:
    """The same for programs."""
    return {
        "file": export.file,
        "values": len(export),
        "quantity": export.quantity.value,
        "unit": export.unit,
        "interval_s": export.interval_s,
        "zone": export.zone,
        "assumptions": [{"text": a.text, "option": a.option, "told": a.is_told} for a in assumptions],
        "unusable": [b.sentence(export.file) for b in export.bad],
        "unusable_count": export.bad_count,
        "empty": export.empty,
        "repeated": export.repeated,
    }
