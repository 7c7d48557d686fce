"""A meter's days moved to another level and stayed there, by more than hour, kind of day and weather explain.

At the start of each local week a model is fitted to the eight weeks before; what its days lie above or below
is searched for the last lasting change of level, by `ruptures`. `baseline-high` tells of a single day; this
of a smaller change that stays, up or down, until it is habit.

On the simulated halls (2026-11-24), three seeds that nothing was tuned on, 124 meter-years without faults:
0.19 alarms a meter and year, 0.06 without the transformers, whose chillers take turns by the week. Floors
taking 15 to 35 % more: 35 of 36 found, after 13 days, standing for about six weeks; 10 % more: 8 of 15. Ten
meters of machines that stand still at night cannot be told: the model learns no working hours of theirs.
"""

import numpy as np

from energy_center.analysis.hour_of_week import DAY_H, LEAST_COVERED, TRAINED_H, WEEK_H, day_sums, fit_usual
from energy_center.analysis.lasting_step import last_step
from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.hourly import LATE_H, Hours, hours_of
from energy_center.rules.rule import (
    WAY_BACK,
    Case,
    Expect,
    Input,
    Parameter,
    Parameters,
    Rule,
    RuleTexts,
    Verdict,
    Waste,
    Where,
)
from energy_center.rules.window import Floats, Frame, Mask, Signal

LOOKBACK_S = (TRAINED_H + WEEK_H + LATE_H + 2) * 3_600.0

_LEAST_SPREAD = 0.01  # of a usual day: a meter that never varies is not judged by its last digit
_ANY_LIMIT = 0.01  # 1/a, of the model's limit for a single day, which is not asked for here
_OUT = "20x1561"
_STARTS = "2026-01-04T16:00:00+00:00"

RULE = Rule(
    rule_id="baseline-changepoint",
    subject="baseline",
    inputs=(
        Input("energy", Role.ENERGY_IMPORT),
        Input("outdoor", Role.OUTDOOR_AIR_TEMPERATURE, Where.SITE, optional=True),
    ),
    parameters=(
        Parameter("penalty", 4.0, "1", "squared spreads per log of days; tuned on a simulated year"),
        Parameter("least_days", 10.0, "d", "engineering practice: longer than an event or a holiday"),
        Parameter("least_share", 8.0, "%", "engineering practice: as for a single day"),
        Parameter("least_kwh", 10.0, "kW.h", "engineering practice: of a day"),
    ),
    hold_s=3600,
    keep_s=3600,
    priority=Priority.LOW,
    step_s=3600.0,
    lookback_s=LOOKBACK_S,
    source="Mathieu et al. 2011, regression; Truong, Oudre and Vayatis 2020, penalised change points",
    fault=("base_load_creep",),
    also=(
        "lights_after_hours",
        "after_hours_cooling",
        "demand_surge",
        "reheat_against_cooling",
        "passing_chilled_water_valve",
    ),
    texts={
        "zh-TW": RuleTexts(
            name="用電水準持續改變",
            likely_causes=(
                "新增設備，或設備停用",
                "運轉時程或設定值已更改",
                "設備效率變差而長期耗電增加",
                "迴路改接，或比流器一相脫落（用電下降時）",
            ),
            what_to_check=(
                "改變當日前後的工作紀錄與盤內施工",
                "比對改變前後兩週同時段的負載曲線",
                "分表中哪一迴路改變最多",
                "下降時：三相電流是否仍平衡",
            ),
            safety="配電盤為活線，量測須由合格人員進行。",
            suggestion="確認是否為新的常態用途；不是則由改變最多的迴路查起，約六週後模型即視為常態。",
        ),
        "en": RuleTexts(
            name="Lasting change of consumption",
            likely_causes=(
                "Machines were added or taken out of use",
                "Schedules or set-points were changed",
                "A machine became less efficient and takes more for good",
                "A circuit was moved, or a current transformer came off (where it fell)",
            ),
            what_to_check=(
                "Log books and work in panels around the day of the change",
                "The load of two weeks before and after, hour by hour",
                "Which sub-meter changed most",
                "Where it fell: whether the three currents are still alike",
            ),
            safety="Panels are live: measuring in them is for certified people.",
            suggestion="Begin with the circuit that changed most; a new use is habit after six weeks.",
        ),
    },
    cases=(
        Case(
            "3 kWh more in every hour, for two weeks: told on the second Monday",
            {"energy": "0..14112x1177 14127..19872x384", "outdoor": _OUT},
            ((1345 * 60, Expect.NORMAL), (1513 * 60, Expect.NORMAL), (1520 * 60, Expect.ACTIVE)),
            step_s=3600.0,
            starts=_STARTS,
        ),
        Case(
            "3 kWh less in every hour, for two weeks",
            {"energy": "0..14112x1177 14121..17568x384", "outdoor": _OUT},
            ((1520 * 60, Expect.ACTIVE),),
            step_s=3600.0,
            starts=_STARTS,
        ),
        Case(
            "as always",
            {"energy": "0..18720x1561", "outdoor": _OUT},
            ((1560 * 60, Expect.NORMAL),),
            step_s=3600.0,
            starts=_STARTS,
        ),
        Case(
            "twice as much, but for six days only",
            {"energy": "0..14112x1177 14136..17568x144 17580..20448x240", "outdoor": _OUT},
            ((1520 * 60, Expect.NORMAL),),
            step_s=3600.0,
            starts=_STARTS,
        ),
        Case(
            "a step of exactly the limit, 72 kWh a day, is borne",
            {"energy": "0..14112x1177 14127..19872x384", "outdoor": _OUT},
            ((1520 * 60, Expect.NORMAL),),
            parameters={"least_share": 0.0, "least_kwh": 72.0},
            step_s=3600.0,
            starts=_STARTS,
        ),
        Case(
            "a gap of two days does not hide it",
            {"energy": "0..14112x1177 14127..16992x192 ?x48 17727..19872x144", "outdoor": _OUT},
            ((1520 * 60, Expect.ACTIVE),),
            step_s=3600.0,
            starts=_STARTS,
        ),
        Case(
            "nothing known of the last week: cannot tell",
            {"energy": "0..14112x1177 14127..16632x168 ?x216", "outdoor": _OUT},
            ((1520 * 60, Expect.NORMAL),),
            step_s=3600.0,
            starts=_STARTS,
        ),
        Case(
            "a meter of six weeks: cannot tell",
            {"energy": "?x509 0..8016x668 8031..13776x384", "outdoor": _OUT},
            ((1520 * 60, Expect.NORMAL),),
            step_s=3600.0,
            starts=_STARTS,
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """The step between the present level and the one before, against a share of the usual day."""
    step, usual, age = _judge(frame, p)
    least = np.fmax(p["least_share"] / 100.0 * usual, p["least_kwh"])
    over = Signal(np.abs(step) - least).rounded()
    still = Signal(np.abs(step) - (1.0 - WAY_BACK) * least).rounded()
    figures = {
        "step_of_day_kW.h": Signal(step),
        "usual_of_day_kW.h": Signal(usual),
        "limit_kW.h": Signal(least),
        "since_d": Signal(age),
    }
    return Verdict(over > 0.0, still > 0.0, figures)


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:
    """The step up in the hours concerned; a step down wastes nothing."""
    step = np.maximum(_judge(frame, p)[0][mask.true], 0.0)
    kwh = float(np.nansum(step)) / DAY_H * frame.step_s / 3_600.0
    return Waste(kwh, basis="the step above the level before, day by day")


def _judge(frame: Frame, p: Parameters) -> tuple[Floats, Floats, Floats]:
    """Per step: by how much a day's energy stepped and what is usual, kWh; days since, 0 without a step."""
    hours = hours_of(frame)
    unknown = np.full(len(frame), np.nan)
    if hours is None:
        return unknown, unknown, unknown
    figures = np.full((3, len(hours.marks)), np.nan)
    mondays = hours.mondays()
    for monday in mondays[mondays >= TRAINED_H]:
        figures[:, monday : monday + WEEK_H] = np.array(_week(hours, monday, p))[:, np.newaxis]
    step, usual, age = (hours.per_step(figure, len(frame)) for figure in figures)
    return step, usual, age


def _week(hours: Hours, monday: int, p: Parameters) -> tuple[float, float, float]:
    """What the eight weeks before a Monday show; NaN where too few of the days, or of the last, are known."""
    cannot_tell = (np.nan, np.nan, np.nan)
    past = slice(monday - TRAINED_H, monday)
    energy, outdoor = hours.energy_kwh[past], hours.outdoor_c[past]
    kind, hour = hours.kind[past], hours.hour[past]
    model = fit_usual(energy, kind, hour, outdoor, _ANY_LIMIT)
    if model is None:
        return cannot_tell
    expected = model.expected_kwh(kind, hour, outdoor)
    days = day_sums(energy - expected)[DAY_H - 1 :: DAY_H]
    known, least_days = ~np.isnan(days), round(p["least_days"])
    if min(known.mean(), known[-least_days:].mean()) < LEAST_COVERED:
        return cannot_tell
    usual = float(np.nanmean(expected)) * DAY_H
    found = last_step(days, p["penalty"], least_days, max(_LEAST_SPREAD * usual, 1e-6))
    return (0.0, usual, 0.0) if found is None else (found.size, usual, float(found.days))
