"""A meter takes more over a day than its own last eight weeks explain by hour, kind of day and weather.

Each week has its own model, of the eight weeks before it, so that no day has a part in what it is judged
by; nothing else is learnt or kept. The sum of 24 hours above the model must pass a limit that is set by what
models err on weeks they have not seen. Source: time-of-week-and-temperature regression (Mathieu et al. 2011).
On 47 meters of the simulated halls, a year without faults (2026-11-24): 0.26 alarms a meter and year, 0.14
without the transformer of the chillers; floors whose lights burnt at night: 18 of 18 found, after 17 hours.
"""

import numpy as np

from energy_center.analysis.hour_of_week import DAY_H, TRAINED_H, WEEK_H, day_sums, fit_usual
from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.hourly import LATE_H, Hours, hours_of
from energy_center.rules.rule import (
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

LOOKBACK_S = (TRAINED_H + WEEK_H + DAY_H + LATE_H + 2) * 3_600.0

_WEEKS = "0..16128x1345"  # 12 kWh an hour for eight weeks from a Monday, 00:00 local
_OUT = "20x1730"

RULE = Rule(
    rule_id="baseline-high",
    subject="baseline",
    inputs=(
        Input("energy", Role.ENERGY_IMPORT),
        Input("outdoor", Role.OUTDOOR_AIR_TEMPERATURE, Where.SITE, optional=True),
    ),
    parameters=(
        Parameter(
            "false_per_year",
            0.01,
            "1/a",
            "if days erred normally; with their longer tails 0.1 to 0.4 measured",
        ),
        Parameter("least_share", 8.0, "%", "engineering practice: smaller excess is no day's work"),
        Parameter("least_kwh", 10.0, "kW.h", "engineering practice: of a day"),
    ),
    hold_s=6 * 3600,
    keep_s=12 * 3600,
    priority=Priority.MEDIUM,
    step_s=3600.0,
    lookback_s=LOOKBACK_S,
    source="Mathieu et al. 2011, time-of-week-and-temperature regression; limit out of sample",
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
            name="用電高於自身常態",
            likely_causes=(
                "燈具或設備下班後未關",
                "空調時程或設定被更改",
                "新增負載或活動",
                "設備故障而耗電增加",
            ),
            what_to_check=(
                "比對當日與前幾週同時段的負載曲線",
                "近日是否有活動、加班或新設備",
                "空調時程與手動覆寫",
                "分表中哪一迴路增加最多",
            ),
            safety="配電盤為活線，量測須由合格人員進行。",
            suggestion="由增加最多的迴路查起；若為新的常態用途請註記，八週後模型即會學會。",
        ),
        "en": RuleTexts(
            name="Consumption above its own habit",
            likely_causes=(
                "Lights or machines stay on after hours",
                "Schedules or set-points of the air conditioning were changed",
                "New load, or an event",
                "A machine takes more because something in it is wrong",
            ),
            what_to_check=(
                "The day's load against the same hours of the weeks before",
                "Events, overtime or new machines of these days",
                "Schedules and overrides of the air conditioning",
                "Which sub-meter has risen most",
            ),
            safety="Panels are live: measuring in them is for certified people.",
            suggestion="Begin with the circuit that rose most; a new use is learnt within eight weeks.",
        ),
    },
    cases=(
        Case(
            "6 kWh more in every hour, from Tuesday noon of the ninth week",
            {"energy": f"{_WEEKS} 16140..16584x38 16602..22644x347", "outdoor": _OUT},
            ((1300 * 60, Expect.NORMAL), (1385 * 60, Expect.NORMAL), (1420 * 60, Expect.ACTIVE)),
            step_s=3600.0,
            starts="2026-01-04T16:00:00+00:00",
        ),
        Case(
            "as always",
            {"energy": "0..20748x1730", "outdoor": _OUT},
            ((1729 * 60, Expect.NORMAL),),
            step_s=3600.0,
            starts="2026-01-04T16:00:00+00:00",
        ),
        Case(
            "exactly 8 % more is borne",
            {"energy": f"{_WEEKS} 16140.96..21118.08x385", "outdoor": _OUT},
            ((1729 * 60, Expect.NORMAL),),
            step_s=3600.0,
            starts="2026-01-04T16:00:00+00:00",
        ),
        Case(
            "a meter of six weeks: cannot tell",
            {"energy": "?x500 0..10140x846 10158..17070x384", "outdoor": _OUT},
            ((1729 * 60, Expect.NORMAL),),
            step_s=3600.0,
            starts="2026-01-04T16:00:00+00:00",
        ),
        Case(
            "a gap of two hours does not end it; usual days do",
            {
                "energy": f"{_WEEKS} 16146..16632x28 ?x2 16686..17028x20 17040..20988x330",
                "outdoor": "20x1725",
            },
            ((1385 * 60, Expect.ACTIVE), (1724 * 60, Expect.NORMAL)),
            step_s=3600.0,
            starts="2026-01-04T16:00:00+00:00",
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """The last 24 hours above the week's model, against its limit."""
    excess, limit, usual, _ = _judge(frame, p)
    least = np.fmax(np.fmax(limit, p["least_share"] / 100.0 * usual), p["least_kwh"])
    over = Signal(excess - least).rounded()
    still = Signal(excess - 0.9 * least).rounded()
    figures = {
        "excess_of_24_h_kW.h": Signal(excess),
        "usual_of_24_h_kW.h": Signal(usual),
        "limit_kW.h": Signal(least),
    }
    return Verdict(over > 0.0, still > 0.0, figures)


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:
    """What was taken above the model in the hours concerned."""
    off = np.maximum(_judge(frame, p)[3][mask.true], 0.0)
    kwh = float(np.nansum(off)) * frame.step_s / 3_600.0
    return Waste(kwh, basis="above the meter's own model of eight weeks")


def _judge(frame: Frame, p: Parameters) -> tuple[Floats, Floats, Floats, Floats]:
    """Per step, as known an hour later: excess, limit, usual energy of 24 h; the last hour's excess."""
    hours = hours_of(frame)
    if hours is None:
        unknown = np.full(len(frame), np.nan)
        return unknown, unknown, unknown, unknown
    excess, limit, usual, off = (hours.per_step(each, len(frame)) for each in _weekly(hours, p))
    return excess, limit, usual, off


def _weekly(hours: Hours, p: Parameters) -> tuple[Floats, Floats, Floats, Floats]:
    """Each week of hours by the model of the eight weeks before its Monday."""
    energy, outdoor, kind, hour = hours.energy_kwh, hours.outdoor_c, hours.kind, hours.hour
    excess, limit, usual, off = (np.full(len(energy), np.nan) for _ in range(4))
    mondays = hours.mondays()
    for monday in mondays[mondays >= TRAINED_H]:
        past, week = slice(monday - TRAINED_H, monday), slice(monday, monday + WEEK_H)
        model = fit_usual(energy[past], kind[past], hour[past], outdoor[past], p["false_per_year"])
        if model is None:
            continue
        judged = slice(monday - DAY_H, monday + WEEK_H)
        expected = model.expected_kwh(kind[judged], hour[judged], outdoor[judged])
        excess[week] = day_sums(energy[judged] - expected)[DAY_H:]
        usual[week] = day_sums(expected)[DAY_H:]
        limit[week] = model.day_limit_kwh
        off[week] = (energy[judged] - expected)[DAY_H:]
    return excess, limit, usual, off
