"""`energy-center what-if`: what photovoltaics or a battery would have saved, by building or by export."""

import argparse
import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from energy_center.cli import out
from energy_center.cli.bill import add_subject_arguments, non_negative, reckon_file
from energy_center.cli.csv_options import csv_options, tell_assumptions, tell_unusable
from energy_center.errors import Invalid
from energy_center.i18n.text import LANGUAGES, text
from energy_center.services.bill_export import series_of
from energy_center.services.meter_csv.read_export import read_export
from energy_center.services.study_export import study
from energy_center.services.what_if import Setup, WhatIf, aligned, read_what_if, reckon_what_if
from energy_center.settings import Settings
from energy_center.store.installation import installed_database
from energy_center.tariffs.what_if import Battery, Floats

SUMMARY = "what photovoltaics or a battery would have saved"
_MONTHS = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options; `--site` reads the database, `--csv` a file."""
    add_subject_arguments(parser)
    parser.add_argument("--pv-kwp", type=non_negative, default=Decimal(0), help="photovoltaics to add")
    parser.add_argument("--pv-csv", type=Path, metavar="FILE", help="an export of measured generation")
    parser.add_argument("--pv-csv-kwp", type=non_negative, metavar="KWP", help="what generated it")
    parser.add_argument("--battery-kwh", type=non_negative, default=Decimal(0), help="energy it can hold")
    parser.add_argument("--battery-kw", type=non_negative, default=Decimal(0), help="power either way")
    parser.add_argument("--efficiency", type=float, default=0.88, help="round trip, 0 to 1")
    parser.add_argument("--shave-to", type=non_negative, metavar="KW", help="a limit below the contract's")
    parser.add_argument("--pv-cost", type=non_negative, metavar="MONEY", help="a kWp")
    parser.add_argument("--battery-cost", type=non_negative, metavar="MONEY", help="a kWh that it can hold")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """0 done; 1 some month does not count or a line of the file was unusable."""
    if (args.site is None) == (args.csv is None):
        raise Invalid("Say --site BUILDING for the installed site, or --csv FILE --plan ID for a file")
    setup = _setup(args)
    found, unusable = _of_file(args, setup) if args.csv else (asyncio.run(_of_site(args, setup)), 0)
    if args.format == "json":
        out.as_json(asdict(found))
    else:
        show_what_if(found, args.language)
    return 1 if unusable or not all(month.counts for month in found.months) else 0


def _setup(args: argparse.Namespace) -> Setup:
    battery = None
    if args.battery_kwh or args.battery_kw:
        shave_to = None if args.shave_to is None else float(args.shave_to)
        battery = Battery(float(args.battery_kwh), float(args.battery_kw), args.efficiency, shave_to)
    return Setup(float(args.pv_kwp), battery, args.pv_cost, args.battery_cost)


def _of_file(args: argparse.Namespace, setup: Setup) -> tuple[WhatIf, int]:
    reckoned = reckon_file(args)
    if reckoned.study is not None and args.format == "text":
        tell_assumptions(reckoned.study.assumptions)
        tell_unusable(reckoned.study.export)
    per_kwp: Floats | None = None
    if args.pv_csv is not None:
        if not args.pv_csv_kwp:
            raise Invalid("--pv-csv needs --pv-csv-kwp, the size of what generated it")
        generated = series_of(study(read_export(args.pv_csv, csv_options(args))), reckoned.tariff)
        per_kwp = aligned(generated, reckoned.series) / float(args.pv_csv_kwp)
    elif setup.pv_kwp:
        raise Invalid("--pv-kwp with --csv needs --pv-csv, an export of measured generation")
    factors = [bill.power_factor_pct for bill in reckoned.bills]
    found = reckon_what_if(
        reckoned.tariff, reckoned.account, reckoned.periods, reckoned.series, factors, setup, per_kwp
    )
    return found, reckoned.study.export.bad_count if reckoned.study else 0


async def _of_site(args: argparse.Namespace, setup: Setup) -> WhatIf:
    if args.first is not None or len(args.month) > 1:
        raise Invalid("--site takes one --month, the last of --last-months")
    month = args.month[0] if args.month else None
    async with installed_database(Settings(), min_size=0, max_size=1) as db:
        return await read_what_if(db, args.site, month, args.last_months or _MONTHS, setup, datetime.now(UTC))


def show_what_if(found: WhatIf, language: str) -> None:
    """Months, then the saving with what it rests on."""

    def word(name: str) -> str:
        return text(f"bill.what_if.{name}", language)

    out.table(
        [word("month"), word("before"), word("after"), word("saving"), text("bill.coverage", language)],
        [
            (
                f"{month.first} – {month.last}" + ("" if month.counts else f" ({word('left_out')})"),
                *("–" if amount is None else f"{amount:,}" for amount in month.amounts),
                f"{month.coverage:.1%}",
            )
            for month in found.months
        ],
    )
    out.line(f"{word('saving')}: {found.saving:,} {found.currency} ({found.days} d)")
    out.line(f"{word('saving_per_year')}: {found.saving_per_year:,} {found.currency}")
    if found.payback_years is not None:
        out.line(f"{word('payback')}: {found.payback_years} ({found.cost:,} {found.currency})")
    for name in ("generated", "used", "left_over", "charged", "discharged"):
        out.line(f"{word(name)}: {getattr(found, f'{name}_kwh'):,.0f} kWh")
    for assumption in found.assumptions:
        out.line(f"! {word(f'assumption.{assumption}')}")
