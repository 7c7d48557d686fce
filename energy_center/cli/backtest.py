"""`energy-center backtest`: what rules would have found, over stored history or over any export."""

import argparse
import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from energy_center.cli import backtest_csv, out
from energy_center.errors import EnvironmentProblem, Invalid
from energy_center.rules.find_rules import find_rule
from energy_center.services.backtest_rule import BacktestReport, backtest_rule
from energy_center.settings import Settings
from energy_center.store.pool import Database
from energy_center.store.series import Grain

SUMMARY = "run rules over history, or over an export"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "--rule", action="append", default=[], help="the rule's id; with --csv any number, all without it"
    )
    parser.add_argument("--since", type=_instant, help="ISO time, with zone or in UTC")
    parser.add_argument("--until", type=_instant, help="ISO time; now without it")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=NUMBER", help="a parameter, hold or keep (s)"
    )
    parser.add_argument("--equipment", help="only at this equipment")
    parser.add_argument(
        "--grain", choices=("raw", "15min"), help="which history; raw for up to two days, else 15min"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="an export instead of the database")
    parser.add_argument("--map", type=Path, metavar="MAP", help="what the export's columns are (YAML)")
    parser.add_argument("--format", choices=("text", "json"), help="json with --csv, else text")


def run(args: argparse.Namespace) -> int:
    """Print the findings."""
    for rule_id in args.rule:
        find_rule(rule_id)
    if args.csv is not None or args.map is not None:
        return _run_csv(args)
    if len(args.rule) != 1 or args.since is None:
        raise Invalid(
            "Say --rule RULE --since TIME for stored history, or --csv FILE --map MAP for an export"
        )
    settings = Settings()
    dsn = settings.database_url.get_secret_value() if settings.database_url else ""
    if not dsn:
        raise EnvironmentProblem("No database: set DATABASE_URL")
    report = asyncio.run(_run(dsn, args))
    if args.format == "json":
        out.as_json(_document(report))
    else:
        _tell(report)
    return 0


def _run_csv(args: argparse.Namespace) -> int:
    if args.csv is None or args.map is None:
        raise Invalid("--csv FILE and --map MAP go together")
    of_database = [
        name for name in ("since", "until", "equipment", "grain") if getattr(args, name) is not None
    ]
    if of_database:
        raise Invalid(f"--{of_database[0]} is for stored history; an export is judged as a whole")
    report = backtest_csv.judge(args.csv, args.map, args.rule, list(_numbers(args.set).items()))
    backtest_csv.tell(args.csv, report, as_json=args.format != "text")
    return 0


async def _run(dsn: str, args: argparse.Namespace) -> BacktestReport:
    db = await Database.open(dsn, min_size=0, max_size=2)
    try:
        report = await backtest_rule(
            db,
            args.rule[0],
            args.since,
            args.until or datetime.now(UTC),
            overrides=_numbers(args.set),
            grain=None if args.grain is None else Grain(args.grain),
        )
    finally:
        await db.close()
    if args.equipment is None:
        return report
    return replace(report, places=tuple(p for p in report.places if p.equipment_id == args.equipment))


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _numbers(settings: list[str]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for setting in settings:
        name, equals, number = setting.partition("=")
        try:
            numbers[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise Invalid(f"--set {setting}: expected NAME=NUMBER")
    return numbers


def _document(report: BacktestReport) -> dict[str, object]:
    return {
        "rule": report.rule_id,
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "grain": report.grain.value,
        "parameters": dict(report.parameters),
        "alarms": sum(len(p.findings) for p in report.places),
        "alarms_per_day": report.alarms_per_day,
        "energy_kwh": report.energy_kwh,
        "equipment": [
            {
                "equipment": place.equipment_id,
                "unknown_share": round(place.unknown_share, 4),
                "findings": [
                    {
                        "onset_at": f.onset_at.isoformat(),
                        "raised_at": f.raised_at.isoformat(),
                        "returned_at": f.returned_at.isoformat() if f.returned_at else None,
                        "energy_kwh": f.waste.energy_kwh if f.waste else None,
                    }
                    for f in place.findings
                ],
            }
            for place in report.places
        ],
    }


def _tell(report: BacktestReport) -> None:
    rows = [
        (
            place.equipment_id,
            f"{f.onset_at:%F %R}",
            f"{f.raised_at:%F %R}",
            f"{f.returned_at:%F %R}" if f.returned_at else "still on",
            None if f.waste is None or f.waste.energy_kwh is None else f"{f.waste.energy_kwh:.1f}",
        )
        for place in report.places
        for f in place.findings
    ]
    out.table(("equipment", "onset (UTC)", "raised", "returned", "kWh"), rows)
    out.line()
    out.line(
        f"{report.rule_id}: {len(rows)} alarms at {len(report.places)} equipment, "
        f"{report.alarms_per_day:.2f} a day, {report.energy_kwh:.1f} kWh at stake "
        f"({report.grain.value} history)"
    )
    blind = [p for p in report.places if p.unknown_share > _BLIND]
    if blind:
        out.line(f"cannot tell for over 20 % of the time: {', '.join(p.equipment_id for p in blind)}")


_BLIND = 0.2
