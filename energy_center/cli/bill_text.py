"""Bills, differences, tariffs and contracts as text for a terminal."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from energy_center.cli import out
from energy_center.i18n.text import text, text_or
from energy_center.services import bill_words
from energy_center.services.bill_view import BillView, LineView
from energy_center.services.compare_plans import PlanCost
from energy_center.tariffs.bill_model import BillingPeriod
from energy_center.tariffs.check_bill import Difference
from energy_center.tariffs.contract import Advice
from energy_center.tariffs.demand_response import Settled

_UNITS = {"kW.h": "kWh", "m3": "m³", "1": ""}
_SHOWN_SPANS = 5


def _columns(language: str, *names: str) -> list[str]:
    return [text(f"bill.columns.{name}", language) for name in names]


def _trim(number: Decimal) -> str:
    """With thousands marked and no empty decimals."""
    shown = f"{number:,.4f}".rstrip("0").rstrip(".")
    return "0" if shown in {"-0", ""} else shown


def show_bill(bill: BillView, language: str) -> None:
    """One bill: its lines, what is to pay, and what must be known."""
    out.line(f"{bill.tariff.in_language(language)}  {bill.first} – {bill.last}  [{bill.tariff_id}]")
    rows = [
        (
            _name(line, language),
            _quantity(line),
            _price(line, language),
            f"{line.amount:,.2f}",
            line.clause,
        )
        for line in bill.lines
    ]
    out.table(_columns(language, "line", "quantity", "price", "amount", "clause"), rows)
    provisional = f"  ({text('bill.provisional', language)})" if bill.is_provisional else ""
    if bill.total is None or bill.energy is None:
        out.line(f"{text('bill.total', language)}: {text('bill.no_data', language)}")
        facts = []
    else:
        out.line(f"{text('bill.total', language)}: {bill.total:,} {bill.currency}{provisional}")
        facts = [f"{text('bill.energy_total', language)} {_trim(bill.energy)} {_UNITS[bill.unit]}"]
    if bill.highest_demand_kw is not None:
        facts.append(f"{bill_words.demand_name(bill, language)} {_trim(bill.highest_demand_kw)} kW")
    if bill.power_factor_pct is not None:
        facts.append(f"{text('bill.power_factor', language)} {_trim(bill.power_factor_pct)} %")
    facts.append(f"{text('bill.coverage', language)} {bill.coverage:.1%}")
    if bill.vat_within is not None:
        facts.append(f"{text('bill.vat_within', language)} {bill.vat_within:,}")
    out.line("; ".join(facts))
    for note in bill.notes:
        out.line(f"! {bill_words.note(note.kind, note.facts, language)}")
    _show_missing(bill)
    for source in bill.sources:
        out.line(source)
    out.line()


def _show_missing(bill: BillView) -> None:
    if not bill.is_provisional:
        return
    for start, end in bill.missing[:_SHOWN_SPANS]:
        out.line(f"    {start.isoformat(timespec='minutes')} .. {end.isoformat(timespec='minutes')}")
    if len(bill.missing) > _SHOWN_SPANS:
        out.line(f"    … {len(bill.missing)}")


def _name(line: LineView, language: str) -> str:
    kind = text(f"bill.kind.{line.kind.value}", language)
    own = (
        line.label.in_language(language)
        if line.label
        else text_or(f"bill.key.{line.key}", language, line.key)
    )
    return f"{kind} {own}"


def _quantity(line: LineView) -> str:
    if line.unit not in {*_UNITS, "kW"}:  # money
        return f"{line.quantity:,.2f} {line.unit}"
    return f"{_trim(line.quantity)} {_UNITS.get(line.unit, line.unit)}".strip()


def _price(line: LineView, language: str) -> str:
    words = [f"{line.price.normalize():f}"]
    if line.times != 1:
        words.append(text("bill.times", language, times=_trim(line.times)))
    if line.days != line.of_days:
        words.append(text("bill.days", language, days=line.days, of_days=line.of_days))
    return " ".join(words)


def show_differences(differences: Sequence[Difference], read_on: BillingPeriod | None, language: str) -> None:
    """The utility's figures beside ours."""
    rows = []
    for d in differences:
        facts = ", ".join(f"{name} {fact}" for name, fact in d.facts.items())
        cause = text(f"bill.cause.{d.cause.value}", language)
        rows.append(
            (
                d.figure,
                "–" if d.ours is None else _trim(d.ours),
                _trim(d.theirs),
                "–" if d.amount is None else _trim(d.amount),
                f"{cause} ({facts})" if facts else cause,
            )
        )
    out.table(_columns(language, "figure", "ours", "theirs", "difference", "cause"), rows)
    if read_on is not None:
        cause = text("bill.cause.reading_date", language)
        out.line(f"{cause}: {read_on.first} – {read_on.last}")
    out.line()


def show_plans(plans: Sequence[PlanCost], language: str) -> None:
    """Tariffs, the cheapest first."""
    rows = [
        (
            f"{plan.tariff.editions[-1].name.in_language(language)} [{plan.tariff.tariff_id}]",
            f"{plan.total:,}",
            "–" if plan.at_best is None else f"{plan.at_best:,}",
            _contract(plan.best.kw) if plan.best else "–",
        )
        for plan in plans
    ]
    out.table(_columns(language, "plan", "cost", "best_cost", "contract"), rows)
    out.line()


def _contract(kw: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {capacity:,} kW" for kind, capacity in kw.items()) or "0 kW"


def show_advice(advice: Advice, language: str) -> None:
    """The best contract beside the present one, its saving and its risk."""
    rows = [
        (name, _contract(choice.kw), f"{choice.cost:,}", f"{choice.over_cost:,}", choice.over_parts)
        for name, choice in (
            (text("bill.contract_present", language), advice.present),
            (text("bill.contract_best", language), advice.best),
        )
    ]
    header = [text(f"bill.advice.{c}", language) for c in ("which", "contract", "cost", "over", "parts")]
    out.table(header, rows)
    out.line(text("bill.saving", language, saving=f"{advice.saving:,}", parts=advice.months))
    out.line()


def show_calls(calls: Sequence[Settled], language: str) -> None:
    """Calls of a demand-response programme: baseline, what was achieved and what it is worth."""
    header = [
        text(f"bill.call.{c}", language)
        for c in ("start", "baseline", "demand", "achieved", "payment", "outcome")
    ]
    rows = [
        (
            f"{settled.call.start:%Y-%m-%d %H:%M} {settled.call.hours} h",
            *(
                "–" if kw is None else f"{kw:,.1f} kW"
                for kw in (settled.baseline_kw, settled.demand_kw, settled.achieved_kw)
            ),
            f"{settled.payment:,}",
            text(f"bill.outcome.{settled.outcome.value}", language),
        )
        for settled in calls
    ]
    out.table(header, rows)
