"""How the figures of a bill look to people, on pages and on paper: text with unit, never arithmetic."""

from collections.abc import Mapping
from decimal import Decimal

from energy_center.i18n.text import text, text_or
from energy_center.services.bill_view import BillView, LineView
from energy_center.tariffs.bill_model import NoteKind

MISSING = "–"
CURRENCIES: Mapping[str, str] = {"TWD": "NT$", "USD": "US$", "EUR": "€", "JPY": "¥"}
_UNITS: Mapping[str, str] = {"kW.h": "kWh", "m3": "m³", "1": ""}


def money(amount: Decimal | None, currency: str, decimals: int = 0) -> str:
    """With its currency; the minus before it; a dash where it is not known."""
    if amount is None:
        return MISSING
    sign = "−" if amount < 0 else ""
    return f"{sign}{CURRENCIES.get(currency, currency)} {abs(amount):,.{decimals}f}"


def number(amount: Decimal) -> str:
    """With thousands marked and no empty decimals."""
    shown = f"{amount:,.4f}".rstrip("0").rstrip(".")
    return "0" if shown in {"-0", ""} else shown


def energy(bill: BillView) -> str:
    """Energy of the period; a dash where nothing was measured."""
    return MISSING if bill.energy is None else f"{number(bill.energy)} {_UNITS.get(bill.unit, bill.unit)}"


def demand(bill: BillView) -> str:
    """The highest quarter-hour."""
    return MISSING if bill.highest_demand_kw is None else f"{bill.highest_demand_kw:,.0f} kW"


def demand_name(bill: BillView, language: str) -> str:
    """What the highest demand is the highest of: where quarters are missing, of those that were measured."""
    return text(f"bill.{'highest_measured' if bill.missing else 'highest_demand'}", language)


def power_factor(bill: BillView, origin: str | None, language: str) -> str:
    """The percent with where it is from, `bill` or `meter`."""
    if bill.power_factor_pct is None:
        return MISSING
    where = text(f"bill.power_factor_from.{origin or 'meter'}", language)
    return f"{number(bill.power_factor_pct)} % ({where})"


def contracts(bill: BillView) -> str:
    """The contracts of the period, each of its kinds."""
    words = dict.fromkeys(_contract(part.contract_kw) for part in bill.parts)
    return "; ".join(words) or MISSING


def _contract(kw: Mapping[str, Decimal]) -> str:
    return " + ".join(number(capacity) for capacity in kw.values() if capacity) + " kW" if kw else ""


def line_name(line: LineView, language: str) -> str:
    """What the line is for."""
    own = line.label.in_language(language) if line.label else None
    name = own if own is not None else text_or(f"bill.key.{line.key}", language, line.key)
    return f"{text(f'bill.kind.{line.kind.value}', language)} {name}".rstrip()


def season(line: LineView, language: str) -> str:
    """Its season, empty where there is none."""
    return text_or(f"bill.season.{line.season}", language, "")


def quantity(line: LineView) -> str:
    """With its unit; money to the cent where it is no whole number."""
    if line.unit in CURRENCIES:
        return money(line.quantity, line.unit, 0 if line.quantity == line.quantity.to_integral() else 2)
    return f"{number(line.quantity)} {_UNITS.get(line.unit, line.unit)}".rstrip()


def price(line: LineView, language: str) -> str:
    """What the quantity is multiplied by."""
    words = [f"× {line.price.normalize():f}"]
    if line.times != 1:
        words.append(text("bill.times", language, times=number(line.times)))
    if line.days != line.of_days:
        words.append("× " + text("bill.days", language, days=line.days, of_days=line.of_days))
    return " ".join(words)


def note(kind: NoteKind, facts: Mapping[str, str], language: str) -> str:
    """A remark's sentence; facts that it lacks stay a dash."""
    holes = dict.fromkeys(("coverage", "hours", "spans", "first"), MISSING)
    return text(f"bill.note.{kind.value}", language, **(holes | dict(facts)))
