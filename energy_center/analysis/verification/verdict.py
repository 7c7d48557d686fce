"""Saved, not saved, or cannot tell, with the reasons as facts that a page can put into words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What can be said of a measure's saving."""

    SAVED = "saved"
    NOT_SAVED = "not_saved"
    CANNOT_TELL = "cannot_tell"


class Reason(StrEnum):
    """Why; the facts beside it carry the numbers."""

    BASELINE_SHORT = "baseline_short"  # found, needed (days)
    BASELINE_COVERAGE = "baseline_coverage"  # found, needed (share)
    REPORTING_SHORT = "reporting_short"  # found, needed (days)
    REPORTING_COVERAGE = "reporting_coverage"  # found, needed (share)
    NOTHING_USED = "nothing_used"
    FIT_POOR = "fit_poor"  # found, allowed (CV(RMSE))
    FIT_BIASED = "fit_biased"  # found, allowed (NMBE)
    BEYOND_TEMPERATURES = "beyond_temperatures"  # found, allowed (share of days), low_c, high_c
    HOLDS_ZERO = "holds_zero"  # low_kwh, high_kwh of the 95 % interval
    ABOVE_ZERO = "above_zero"  # the same
    BELOW_ZERO = "below_zero"  # the same
    UNDER_WORTHWHILE = "under_worthwhile"  # high (share), worthwhile (share)


@dataclass(frozen=True, slots=True)
class Because:
    """A reason with its facts, in the units named beside the reason."""

    reason: Reason
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is asked of data and fit; shares 0..1, ASHRAE Guideline 14-2014 where it says so.

    A baseline shorter than `full_days` must be `least_days` long, and its temperatures must hold those after.
    """

    full_days: int = 270  # nine months
    least_days: int = 60
    least_reporting_days: int = 28
    baseline_coverage: float = 0.90  # CalTRACK 2.0, 2.2.1.2
    reporting_coverage: float = 0.50  # of the days: those missing count on neither side
    most_cv: float = 0.25  # whole building, daily
    most_nmbe: float = 0.005  # 4.2.10: net determination bias
    most_beyond: float = 0.10  # share of reporting days outside the baseline's temperatures
    beyond_by: float = 0.10  # of the range: 5.3.2.4.d allows 10 % above its top and below its end
    worthwhile: float = 0.02  # share of the expected use under which a saving is none worth the name


def judge(
    low_kwh: float, high_kwh: float, expected_kwh: float, criteria: Criteria
) -> tuple[Verdict, Because]:
    """By the two-sided 95 % interval of the avoided energy."""
    facts = {"low_kwh": low_kwh, "high_kwh": high_kwh}
    if low_kwh > 0:
        return Verdict.SAVED, Because(Reason.ABOVE_ZERO, facts)
    if high_kwh < 0:
        return Verdict.NOT_SAVED, Because(Reason.BELOW_ZERO, facts)
    if expected_kwh > 0 and high_kwh < criteria.worthwhile * expected_kwh:
        share = {"high": high_kwh / expected_kwh, "worthwhile": criteria.worthwhile}
        return Verdict.NOT_SAVED, Because(Reason.UNDER_WORTHWHILE, share)
    return Verdict.CANNOT_TELL, Because(Reason.HOLDS_ZERO, facts)
