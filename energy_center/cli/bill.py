"""`energy-center bill`: a month's bill of a building, or of a meter's export without any database."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

from energy_center.cli import out
from energy_center.cli.bill_text import (
    show_advice,
    show_bill,
    show_calls,
    show_differences,
    show_plans,
)
from energy_center.cli.csv_options import add_csv_arguments, export_document, tell_assumptions, tell_unusable
from energy_center.cli.intervals import add_register_arguments, read_study
from energy_center.errors import Invalid
from energy_center.i18n.text import LANGUAGES
from energy_center.services.bill_building import (
    BuildingBill,
    Metered,
    bills_of,
    last_months,
    month_period,
    read_metered,
)
from energy_center.services.bill_export import account_of_words, periods_of, series_of
from energy_center.services.bill_view import view_bill
from energy_center.services.check_utility_bill import Checked, check_utility_bill
from energy_center.services.compare_plans import PlanCost, compare_plans
from energy_center.services.study_export import Study
from energy_center.services.tariff_catalogue import programme, shipped_programmes, shipped_tariffs, tariff
from energy_center.services.utility_bill import read_utility_bill
from energy_center.settings import Settings
from energy_center.store.installation import installed_database
from energy_center.tariffs.bill import bill_series
from energy_center.tariffs.bill_model import Account, Bill, BillingPeriod
from energy_center.tariffs.contract import Advice, advise, parts_of
from energy_center.tariffs.demand_response import Call, Settled, settle
from energy_center.tariffs.measure import Measured
from energy_center.tariffs.tariff_model import Tariff

SUMMARY = "reckon a bill, check the utility's, compare tariffs, choose a contract"


def add_subject_arguments(parser: argparse.ArgumentParser) -> None:
    """What is billed: a building of the database or a file with its tariff and account, and when."""
    parser.add_argument("--site", metavar="BUILDING", help="a building of the installed site")
    add_csv_arguments(parser, required=False)
    add_register_arguments(parser)
    parser.add_argument("--month", action="append", default=[], metavar="YYYY-MM", help="may be repeated")
    parser.add_argument("--last-months", type=int, metavar="N", help="the N months before this one")
    parser.add_argument("--from", dest="first", type=_date, metavar="DATE", help="first day of the period")
    parser.add_argument("--to", dest="last", type=_date, metavar="DATE", help="last day, included")
    parser.add_argument("--months", type=int, default=1, help="monthly charges in --from .. --to")
    parser.add_argument("--plan", metavar="ID", help="a tariff; --list-plans shows them")
    parser.add_argument("--contract", action="append", default=[], metavar="KW", help="1200 or half_peak=100")
    parser.add_argument("--factor", type=_number, default=Decimal(1), help="industry factor, such as 1.017")
    parser.add_argument("--power-factor", type=_number, metavar="PERCENT", help="as printed on the bill")
    parser.add_argument("--vat-exempt", action="store_true", help="the account is exempt from tax")
    parser.add_argument("--connection", help="kind of connection, such as single_phase")
    parser.add_argument("--told-day", action="append", default=[], type=_date, metavar="DATE")
    parser.add_argument("--item", action="append", default=[], metavar="NAME=COUNT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options; `--site` reads the database, `--csv` a file."""
    add_subject_arguments(parser)
    parser.add_argument("--check", type=Path, metavar="FILE", help="the utility's bill, to be compared")
    parser.add_argument("--compare", action="store_true", help="what other tariffs would have cost")
    parser.add_argument("--best-contract", action="store_true", help="the contract that would cost least")
    parser.add_argument("--programme", metavar="ID", help="a demand-response programme, for --call")
    parser.add_argument(
        "--call",
        action="append",
        default=[],
        metavar="TIME,HOURS,PRICE",
        help="a call of the programme, such as 2026-07-15T16:00,2,8.50; may be repeated",
    )
    parser.add_argument("--list-plans", action="store_true", help="show all tariffs and end")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--pdf", type=Path, metavar="FILE", help="write the bill as PDF; one period only")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise argparse.ArgumentTypeError(f"found '{text}'; expected a date such as 2026-07-01") from cause


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as cause:
        raise argparse.ArgumentTypeError(f"found '{text}'; expected a number") from cause
    if not number.is_finite() or number <= 0:
        raise argparse.ArgumentTypeError(f"found '{text}'; expected a number above 0")
    return number


def non_negative(text: str) -> Decimal:
    """A size or a cost on the command line."""
    try:
        number = Decimal(text)
    except InvalidOperation as cause:
        raise argparse.ArgumentTypeError(f"found '{text}'; expected a number") from cause
    if not number.is_finite() or number < 0:
        raise argparse.ArgumentTypeError(f"found '{text}'; expected 0 or more")
    return number


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Bills with what they were reckoned from; `study` None where a database was read."""

    tariff: Tariff
    account: Account
    periods: Sequence[BillingPeriod]
    series: Measured
    bills: Sequence[Bill]
    study: Study | None = None
    made: Sequence[BuildingBill] = ()
    file: str = ""

    @property
    def power_factor_from(self) -> str | None:
        """Where the first bill's is from; one that was typed in is the bill's."""
        return self.made[0].power_factor_from if self.made else "bill"

    def subject(self, language: str) -> tuple[str, str]:
        """What is billed: the building and its meter, or the file."""
        if not self.made:
            return self.file, self.file
        return self.made[0].building.in_language(language), self.made[0].meter_id


def run(args: argparse.Namespace) -> int:
    """0 done; 1 a bill is provisional, a line of the file unusable, or the utility's bill differs."""
    if args.list_plans:
        _list_plans(args.language)
        return 0
    if (args.site is None) == (args.csv is None):
        raise Invalid("Say --site BUILDING for the installed site, or --csv FILE --plan ID for a file")
    reckoned = reckon_file(args) if args.csv else asyncio.run(_of_site(args))
    found = _questions(args, reckoned)
    if args.pdf:
        _write_pdf(args, reckoned)
    if args.format == "json":
        out.as_json(_document(args, reckoned, found))
    else:
        _show(args, reckoned, found)
    unusable = reckoned.study is not None and reckoned.study.export.bad_count > 0
    differs = found.checked is not None and not found.checked.agrees
    return 1 if unusable or differs or any(bill.is_provisional for bill in reckoned.bills) else 0


def _write_pdf(args: argparse.Namespace, reckoned: Reckoned) -> None:
    from energy_center.services.bill_pdf import set_bill

    if len(reckoned.bills) != 1:
        raise Invalid(f"--pdf writes one bill; {len(reckoned.bills)} periods were asked for")
    (bill,) = reckoned.bills
    zone = bill.segments[-1].edition.zone
    subject = reckoned.subject(args.language)
    origin = reckoned.power_factor_from
    args.pdf.write_bytes(set_bill(view_bill(bill), subject, args.language, zone, power_factor_from=origin))
    out.line(str(args.pdf))


@dataclass(frozen=True, slots=True)
class _Answers:
    checked: Checked | None = None
    plans: Sequence[PlanCost] = ()
    advice: Advice | None = None
    calls: Sequence[Settled] = ()


def _questions(args: argparse.Namespace, reckoned: Reckoned) -> _Answers:
    checked = _check(args.check, reckoned) if args.check else None
    plans: Sequence[PlanCost] = ()
    if args.compare:
        factors = [bill.power_factor_pct for bill in reckoned.bills]
        plans = compare_plans(reckoned.tariff, reckoned.account, reckoned.periods, reckoned.series, factors)
    advice = None
    if args.best_contract:
        held = reckoned.account.contract_on(reckoned.periods[-1].last)
        parts = parts_of(reckoned.bills, reckoned.account.industry_factor)
        advice = advise(parts, held.kw if held else {})
    return _Answers(checked, plans, advice, _calls(args, reckoned))


def _calls(args: argparse.Namespace, reckoned: Reckoned) -> Sequence[Settled]:
    if not args.call:
        return ()
    if args.programme is None:
        raise Invalid(f"--call needs --programme, one of: {', '.join(shipped_programmes())}")
    asked = programme(args.programme)
    calls = [_call(word, ZoneInfo(asked.time_zone)) for word in args.call]
    return settle(asked, tariff(asked.calendar).editions[-1], calls, reckoned.series)


def _call(word: str, zone: ZoneInfo) -> Call:
    try:
        when, hours, price = word.split(",")
        start = datetime.fromisoformat(when)
        called = Call(start if start.tzinfo else start.replace(tzinfo=zone), Decimal(hours), Decimal(price))
    except (ValueError, ArithmeticError) as cause:
        raise Invalid(f"--call {word}: expected TIME,HOURS,PRICE such as 2026-07-15T16:00,2,8.50") from cause
    return called


def _check(path: Path, reckoned: Reckoned) -> Checked:
    if len(reckoned.bills) != 1:
        raise Invalid(f"--check compares one bill; {len(reckoned.bills)} periods were asked for")
    theirs = read_utility_bill(path)
    editions = reckoned.tariff.editions
    return check_utility_bill(reckoned.bills[0], theirs, reckoned.account, reckoned.series, editions)


def _asked(args: argparse.Namespace) -> list[BillingPeriod]:
    if (args.first is None) != (args.last is None):
        raise Invalid("--from and --to go together")
    asked = [month_period(_month(text)) for text in args.month]
    if args.first is not None:
        asked.append(BillingPeriod(args.first, args.last, args.months))
    if args.last_months:
        asked += last_months(datetime.now(UTC).date(), args.last_months)
    return asked


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as cause:
        raise Invalid(f"--month {text}: expected a month such as 2026-07") from cause


def reckon_file(args: argparse.Namespace) -> Reckoned:
    """The bills of an export."""
    if args.plan is None:
        raise Invalid(f"--csv needs --plan, one of: {', '.join(sorted(shipped_tariffs()))}")
    plan = tariff(args.plan)
    account = account_of_words(
        plan,
        args.contract,
        args.factor,
        vat_exempt=args.vat_exempt,
        connection=args.connection,
        told_days=args.told_day,
        items=args.item,
    )
    study = read_study(args)
    series = series_of(study, plan)
    periods = _asked(args) or periods_of(study, plan)
    bills = [bill_series(plan, account, period, series, args.power_factor) for period in periods]
    return Reckoned(plan, account, periods, series, bills, study, file=args.csv.name)


async def _of_site(args: argparse.Namespace) -> Reckoned:
    periods = _asked(args) or last_months(datetime.now(UTC).date(), 1)
    async with installed_database(Settings(), min_size=0, max_size=1) as db:
        found: Metered = await read_metered(db, args.site, periods)
    made = bills_of(found, periods)
    bills = [one.bill for one in made]
    return Reckoned(found.held.tariff, found.held.account, periods, found.series, bills, made=made)


def _list_plans(language: str) -> None:
    out.table(
        ("id", "editions", "name"),
        [
            (
                plan.tariff_id,
                ", ".join(e.edition for e in plan.editions),
                plan.editions[-1].name.in_language(language),
            )
            for plan in shipped_tariffs().values()
        ],
    )


def _show(args: argparse.Namespace, reckoned: Reckoned, found: _Answers) -> None:
    if reckoned.study is not None:
        tell_assumptions(reckoned.study.assumptions)
        tell_unusable(reckoned.study.export)
    for bill in reckoned.bills:
        show_bill(view_bill(bill), args.language)
    if found.checked is not None:
        show_differences(found.checked.differences, found.checked.read_on, args.language)
    if found.plans:
        show_plans(found.plans, args.language)
    if found.advice is not None:
        show_advice(found.advice, args.language)
    if found.calls:
        show_calls(found.calls, args.language)


def _document(args: argparse.Namespace, reckoned: Reckoned, found: _Answers) -> dict[str, object]:
    document: dict[str, object] = {"bills": [asdict(view_bill(bill)) for bill in reckoned.bills]}
    if reckoned.study is not None:
        document["file"] = export_document(reckoned.study.export, reckoned.study.assumptions)
    if found.checked is not None:
        document["differences"] = [asdict(d) for d in found.checked.differences]
        document["read_on"] = asdict(found.checked.read_on) if found.checked.read_on else None
    if args.compare:
        document["plans"] = [
            {
                "plan": plan.tariff.tariff_id,
                "total": plan.total,
                "at_best": plan.at_best,
                "contract": plan.best.kw if plan.best else None,
            }
            for plan in found.plans
        ]
    if found.advice is not None:
        document["contract"] = asdict(found.advice)
    if found.calls:
        document["calls"] = [asdict(settled) for settled in found.calls]
    return document
