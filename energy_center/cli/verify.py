"""`energy-center verify --csv METER --temperature FILE`: whether a measure saved energy, from two files."""

import argparse
import math
from dataclasses import replace
from datetime import date
from pathlib import Path

from energy_center.analysis.verification.choose import Method
from energy_center.analysis.verification.series import DaySpan
from energy_center.analysis.verification.verdict import Verdict
from energy_center.analysis.verification.verify import Adjustment
from energy_center.cli import out
from energy_center.cli.csv_options import (
    add_csv_arguments,
    csv_options,
    export_document,
    tell_assumptions,
    tell_unusable,
)
from energy_center.cli.intervals import add_register_arguments, read_study
from energy_center.i18n.text import LANGUAGES
from energy_center.services.meter_csv.model import CsvOptions, Export, Quantity
from energy_center.services.meter_csv.read_export import read_export
from energy_center.services.verification_document import Document, document
from energy_center.services.verification_words import (
    model_name,
    percent,
    reason_sentences,
    verdict_sentence,
    verdict_word,
)
from energy_center.services.verify_export import Asked, verify_export

SUMMARY = "verify a measure's saving from a meter's export and outdoor temperatures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    add_csv_arguments(parser)
    add_register_arguments(parser)
    parser.add_argument(
        "--temperature",
        type=Path,
        required=True,
        metavar="FILE",
        help="outdoor temperatures; may be the same file",
    )
    parser.add_argument(
        "--temperature-column", metavar="NAME", help="where several columns hold temperatures"
    )
    parser.add_argument(
        "--temperature-unit", choices=("°C", "°F", "K"), help="where the heading does not name it"
    )
    parser.add_argument(
        "--baseline", type=_span, required=True, metavar="A..B", help="days before the measure, both included"
    )
    parser.add_argument(
        "--reporting", type=_span, required=True, metavar="C..D", help="days after it, both included"
    )
    parser.add_argument(
        "--adjust",
        type=_adjustment,
        action="append",
        default=[],
        metavar="A..B=KWH",
        help="kWh a day more than before that are not the measure's, such as a new server room",
    )
    parser.add_argument("--method", type=Method, choices=list(Method), default=Method.AUTO)
    parser.add_argument("--holidays-of", default="TW", metavar="COUNTRY", help="ISO 3166 code (default TW)")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--json", action="store_true", help="one JSON document, with every day")


def _span(words: str) -> DaySpan:
    first, dots, last = words.partition("..")
    try:
        span = DaySpan(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        dots = ""
    if not dots:
        raise argparse.ArgumentTypeError(f"found '{words}'; expected days such as 2025-01-01..2025-12-31")
    if span.last < span.first:
        raise argparse.ArgumentTypeError(f"found '{words}'; the last day lies before the first")
    return span


def _adjustment(words: str) -> Adjustment:
    days, _, amount = words.partition("=")
    try:
        kwh = float(amount)
    except ValueError:
        kwh = math.nan
    if not math.isfinite(kwh):
        raise argparse.ArgumentTypeError(
            f"found '{words}'; expected A..B=KWH, such as 2026-03-01..2026-06-30=40"
        )
    return Adjustment(_span(days), kwh)


def run(args: argparse.Namespace) -> int:
    """Print the answer; 0 saved, 1 not saved or cannot tell."""
    meter = read_study(args)
    temperature = read_export(args.temperature, _temperature_options(args))
    asked = Asked(args.baseline, args.reporting, args.adjust, args.method, args.holidays_of)
    answer = verify_export(meter, temperature, asked)
    found = document(answer.verification, args.baseline, args.reporting)
    if args.json:
        out.as_json(_whole(found, answer.data_hash, meter.export, temperature, args.language))
    else:
        for export, assumptions in (
            (meter.export, meter.assumptions),
            (temperature, temperature.assumptions),
        ):
            tell_assumptions(assumptions)
            tell_unusable(export)
        _tell(found, answer.data_hash, args.language)
    return 0 if answer.verification.verdict is Verdict.SAVED else 1


def _temperature_options(args: argparse.Namespace) -> CsvOptions:
    """As the meter's file where it is the same one; else dates and decimals as there."""
    said = csv_options(args)
    same = args.temperature == args.csv
    columns = {role: name for role, name in said.columns.items() if same and role != "value"}
    if args.temperature_column is not None:
        columns["value"] = args.temperature_column
    kept = said if same else CsvOptions(zone=said.zone, date_order=said.date_order, decimal=said.decimal)
    return replace(
        kept, columns=columns, quantity=Quantity.TEMPERATURE, unit=args.temperature_unit, interval_s=None
    )


def _tell(found: Document, data_hash: str, language: str) -> None:
    out.line(f"{verdict_word(found['verdict'], language)}: {verdict_sentence(found, language)}")
    for sentence in reason_sentences(found, language):
        out.line(f"- {sentence}")
    out.line()
    out.fields({span: _cover(found[span]) for span in ("baseline", "reporting")})
    if found["estimate"] is not None:
        out.fields(_figures(found["estimate"], language))
    out.fields({"data": data_hash[:16]})


def _cover(cover: Document) -> str:
    beyond = cover["beyond_temperatures"]
    told = f", {beyond} at temperatures the baseline never saw" if beyond else ""
    return f"{cover['used']} of {cover['days']} days used, {cover['missing']} without data{told}"


def _figures(found: Document, language: str) -> dict[str, object]:
    fit = (
        f"CV(RMSE) {percent(found['cv_rmse'])}, NMBE {found['nmbe'] * 100:.2f} %, R² {found['r_squared']:.3f}"
    )
    shown: dict[str, object] = {
        "model": f"{found['model']}, {model_name(found['model'], language)}",
        "fit": fit,
        "expected": f"{found['expected_kwh']:,.0f} kWh",
        "used": f"{found['actual_kwh']:,.0f} kWh",
        "avoided": f"{found['avoided_kwh']:,.0f} kWh ({percent(found['avoided_share'])})",
    }
    if found["adjustment_kwh"]:
        shown["of which adjustments"] = f"{found['adjustment_kwh']:+,.0f} kWh"
    for confidence, (low, high) in found["intervals_kwh"].items():
        shown[f"{float(confidence):.0%} interval"] = f"{low:,.0f} .. {high:,.0f} kWh"
    return shown


def _whole(found: Document, data_hash: str, meter: Export, temperature: Export, language: str) -> Document:
    return {
        "sentence": verdict_sentence(found, language),
        "because": reason_sentences(found, language),
        **found,
        "data_hash": data_hash,
        "meter": export_document(meter, meter.assumptions),
        "temperature": export_document(temperature, temperature.assumptions),
    }
