"""A verification in words: the sentence of the verdict and the reasons, made from the figures alone."""

from collections.abc import Mapping
from typing import Any

from energy_center.analysis.verification.verdict import Reason
from energy_center.i18n.text import text
from energy_center.services.verification_document import estimate_of

_SHARES = frozenset({"found", "needed", "allowed", "high", "worthwhile"})
_COUNTED = frozenset({Reason.BASELINE_SHORT, Reason.REPORTING_SHORT})


def verdict_sentence(found: Mapping[str, Any], language: str) -> str:
    """One true sentence with the saving and its 95 % interval, or that there is none to tell."""
    estimate = estimate_of(found)
    if estimate is None:
        return text("verification.sentence.none", language)
    return text(f"verification.sentence.{found['verdict']}", language, **_figures(estimate))


def _figures(estimate: Mapping[str, Any]) -> Mapping[str, str]:
    low, high = estimate["intervals_kwh"]["0.95"]
    expected, avoided = estimate["expected_kwh"], estimate["avoided_kwh"]
    return {
        "avoided": f"{avoided:,.0f}",
        "low": f"{low:,.0f}",
        "high": f"{high:,.0f}",
        "share": percent(avoided / expected),
        "low_share": percent(low / expected),
        "high_share": percent(high / expected),
        "days": f"{estimate['days']:,}",
    }


def reason_sentences(found: Mapping[str, Any], language: str) -> list[str]:
    """Why, with the numbers."""
    return [_reason(each["reason"], each["facts"], language) for each in found["reasons"]]


def _reason(name: str, facts: Mapping[str, float], language: str) -> str:
    reason = Reason(name)
    shown = {fact: _fact(reason, fact, number) for fact, number in facts.items()}
    return text(f"verification.reason.{name}", language, **shown)


def _fact(reason: Reason, name: str, number: float) -> str:
    if name in _SHARES and reason not in _COUNTED:
        return percent(number)
    return f"{number:,.1f}" if name.endswith("_c") else f"{number:,.0f}"


def percent(share: float) -> str:
    """With one decimal."""
    return f"{share * 100:.1f} %"


def model_name(name: str, language: str) -> str:
    """What a model of the name 1P to 5P or TOWT does."""
    return text(f"verification.model.{name}", language)


def verdict_word(verdict: str, language: str) -> str:
    """Saved, not saved, cannot tell."""
    return text(f"verification.verdict.{verdict}", language)
