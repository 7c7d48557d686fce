"""How often the stated interval holds the true saving, and a saving is claimed where there is none."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

import numpy as np

from energy_center.analysis.verification.choose import Method
from energy_center.analysis.verification.series import DaySpan
from energy_center.analysis.verification.uncertainty import autocorrelation, effective_count, quantile
from energy_center.analysis.verification.verdict import Verdict
from energy_center.analysis.verification.verify import Estimate, Verification, verify
from tests.bench.verification.buildings import BASELINE, REPORTING, Case, make_case

EFFECTS = (0.0, 0.05, 0.10, 0.20)
# the uncertainty's constants were chosen on seeds from 50,000 on
FIRST_SEED = 1000


@dataclass(frozen=True, slots=True)
class Score:
    """Of all cases of one effect: counts, and medians as shares of the expected use."""

    effect: float
    reporting_days: int
    cases: int
    in_90: int
    in_95: int
    in_90_guideline: int
    verdicts: dict[str, int]
    claimed_outside: int
    half_width_90: float
    error: float
    models: dict[str, int]


def score(effect: float, cases: int, reporting_days: int = 365, method: Method = Method.AUTO) -> Score:
    """Judge buildings that nothing was tuned on."""
    reporting = DaySpan(REPORTING.first, REPORTING.first + timedelta(days=reporting_days - 1))
    found = list(_judged(effect, cases, reporting, reporting_days, method))
    estimates = [(e, true) for v, true in found if (e := v.estimate) is not None]
    return Score(
        effect=effect,
        reporting_days=reporting_days,
        cases=cases,
        in_90=sum(_holds(e.interval(0.90), true) for e, true in estimates),
        in_95=sum(_holds(e.interval(0.95), true) for e, true in estimates),
        in_90_guideline=sum(_holds(guideline_interval(e), true) for e, true in estimates),
        verdicts=dict(Counter(v.verdict.value for v, _ in found)),
        claimed_outside=sum(
            v.verdict is Verdict.SAVED and (v.estimate is None or v.estimate.interval(0.95)[0] <= 0)
            for v, _ in found
        ),
        half_width_90=median(
            (e.interval(0.90)[1] - e.avoided_kwh) / e.expected_total_kwh for e, _ in estimates
        ),
        error=median(abs(e.avoided_kwh - true) / e.expected_total_kwh for e, true in estimates),
        models=dict(Counter(e.baseline.name for e, _ in estimates)),
    )


def _judged(
    effect: float, cases: int, reporting: DaySpan, reporting_days: int, method: Method
) -> Iterator[tuple[Verification, float]]:
    for seed in range(FIRST_SEED, FIRST_SEED + cases):
        case = make_case(seed, effect, reporting_days)
        found = verify(case.days, case.hours, BASELINE, reporting, method=method)
        yield found, true_saving(case, found.estimate)


def true_saving(case: Case, found: Estimate | None) -> float:
    """kWh over the days of the estimate."""
    if found is None:
        return float("nan")
    return float(case.would_kwh[np.isin(case.days.day, found.day)].sum() - found.actual_kwh.sum())


def _holds(interval: tuple[float, float], true: float) -> bool:
    return interval[0] <= true <= interval[1]


def guideline_interval(found: Estimate) -> tuple[float, float]:
    """90 % by ASHRAE Guideline 14-2014, equation 4-8 with n' of the residuals: for comparison."""
    model = found.baseline
    count, after = len(model.day), len(found.day)
    worth = effective_count(count, autocorrelation(model.day, model.actual_kwh - model.expected_kwh))
    spread = 1.26 * model.cv_rmse * np.sqrt(count / worth * (1 + 2 / worth) / after)
    freedom = max(worth - model.model.daily_parameters, 2.0)
    half = float(quantile(0.90, freedom) * spread) * found.expected_total_kwh
    return found.avoided_kwh - half, found.avoided_kwh + half
