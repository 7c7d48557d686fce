"""What a page and a report say of a measure, as pairs of name and figure."""

from collections.abc import Mapping
from typing import Any

from energy_center.analysis.verification.verdict import Verdict
from energy_center.domain.measures import Days, Measure, MeasureAdjustment, MeasureVerification
from energy_center.i18n.text import text
from energy_center.services.verification_words import model_name, percent

YEAR_DAYS = 365
WHOLE_YEAR_DAYS = 330  # with data; fewer have not seen every season
Pair = tuple[str, str]


def span(days: Days) -> str:
    """First and last day."""
    return f"{days.first} – {days.last}"


def measure_facts(measure: Measure, language: str) -> list[Pair]:
    """What was planned and done."""
    found = [(text("measure.meter", language), measure.meter)]
    if measure.done is not None:
        found.append((text("measure.done_days", language), span(measure.done)))
    if measure.cost_ntd is not None:
        found.append((text("measure.cost", language), _money(measure.cost_ntd, language)))
    if measure.expected_kwh_per_year is not None:
        found.append((text("measure.expected", language), _kwh(measure.expected_kwh_per_year, language)))
    return found


def worth_facts(measure: Measure, findings: Mapping[str, Any], language: str) -> list[Pair]:
    """The avoided energy, and where it is sure what it is worth; nothing without an estimate."""
    estimate = findings["estimate"]
    if estimate is None:
        return []
    avoided = f"{_kwh(estimate['avoided_kwh'], language)} ({percent(estimate['avoided_share'])})"
    if estimate["adjustment_kwh"]:
        kwh = f"{estimate['adjustment_kwh']:+,.0f}"
        avoided += f", {text('measure.of_which', language, kwh=kwh)}"
    found = [(text("measure.avoided", language), avoided)]
    if findings["verdict"] == Verdict.SAVED:
        found += _yearly(measure, findings, estimate, language)
    return found


def _yearly(
    measure: Measure, findings: Mapping[str, Any], estimate: Mapping[str, Any], language: str
) -> list[Pair]:
    """At the rate of the days compared, which is a year's only when they are one; money of these days."""
    days = estimate["days"]
    key = "measure.per_year" if days >= WHOLE_YEAR_DAYS else "measure.per_year_by"
    yearly_kwh = estimate["avoided_kwh"] / days * YEAR_DAYS
    found = [(text(key, language, days=days), _kwh(yearly_kwh, language))]
    money, carbon = findings.get("money_ntd"), findings.get("carbon_kg")
    if money:
        found.append((text("measure.worth", language), _money(money, language)))
        if measure.cost_ntd:
            years = measure.cost_ntd / (money / days * YEAR_DAYS)
            key = "measure.payback" if days >= WHOLE_YEAR_DAYS else "measure.payback_by"
            said = text("measure.years", language, years=f"{years:.1f}")
            found.append((text(key, language, days=days), said))
    if carbon:
        found.append((text("measure.carbon", language), text("measure.kg", language, kg=f"{carbon:,.0f}")))
    return found


def method_facts(found: MeasureVerification, at: str, language: str) -> list[Pair]:
    """Spans with their coverage, model, fit, when and on which data; `at` is the moment in words."""
    findings, estimate = found.findings, found.findings["estimate"]
    facts = [
        (text(f"measure.{name}", language), f"{span(days)}: {_cover(findings, name, language)}")
        for name, days in (("baseline", found.baseline), ("reporting", found.reporting))
    ]
    if isinstance(estimate, Mapping):
        fit = text(
            "measure.fit_words",
            language,
            cv=percent(estimate["cv_rmse"]),
            nmbe=f"{estimate['nmbe'] * 100:.2f} %",
            r2=f"{estimate['r_squared']:.3f}",
        )
        model = f"{estimate['model']}, {model_name(estimate['model'], language)}"
        facts += [(text("measure.model", language), model), (text("measure.fit", language), fit)]
    facts += [
        (text("measure.verified_at", language), at),
        (text("measure.data", language), found.data_hash[:16]),
    ]
    return facts


def _cover(findings: Mapping[str, Any], name: str, language: str) -> str:
    cover = findings[name]
    return text(
        "measure.cover",
        language,
        used=cover["used"],
        days=cover["days"],
        missing=cover["missing"],
        beyond=cover["beyond_temperatures"],
    )


def adjustment_words(each: MeasureAdjustment, language: str) -> str:
    """Its days and kWh a day."""
    kwh = f"{each.kwh_per_day:+,.0f}"
    return text("measure.adjusted_days", language, first=each.days.first, last=each.days.last, kwh=kwh)


def _kwh(kwh: float, language: str) -> str:
    return text("measure.kwh", language, kwh=f"{kwh:,.0f}")


def _money(ntd: float, language: str) -> str:
    return text("measure.money", language, ntd=f"{ntd:,.0f}")
