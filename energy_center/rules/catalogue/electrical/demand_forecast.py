"""This quarter-hour will end above the contract capacity.

Taipower bills the highest 15-minute mean of the month: up to 10 % over the contract costs twice the basic
price, beyond it three times (Taipower tariff book, chapter on contract capacity). Warned of in time, load
can be shed. Source: the tariff's rule; the forecast is the energy so far plus the present load for the
rest of the block, its spread that of the load in the last quarter-hour.
"""

from statistics import NormalDist

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Of, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import US, Frame, Signal

BLOCK_S = 900

RULE = Rule(
    rule_id="demand-forecast-over-contract",
    subject="electrical",
    inputs=(Input("energy", Role.ENERGY_IMPORT), Input("power", Role.ACTIVE_POWER)),
    parameters=(
        Parameter(
            "contract_kw", None, "kW", "the supply contract", attribute="contract_kw", of=Of.METERED_SPACE
        ),
        Parameter("share", 98.0, "%", "engineering practice: warn at 98 % of the contract"),
        Parameter("probability", 80.0, "%", "engineering practice"),
        Parameter("from_minute", 3.0, "min", "engineering practice: earlier the block says nothing"),
        Parameter("load_min", 3.0, "min", "engineering practice: mean load carried forward"),
    ),
    hold_s=60,
    keep_s=60,
    priority=Priority.HIGH,
    step_s=60,
    lookback_s=1860,
    source="Taipower tariff book: contract capacity and penalty; block of 15 minutes on the clock",
    fault=("demand_surge",),
    texts={
        "zh-TW": RuleTexts(
            name="本 15 分鐘需量預測將超過契約容量",
            likely_causes=("冰水主機同時啟動", "炎熱天氣尖峰負載", "充電樁集中充電", "發電機或太陽光電停機"),
            what_to_check=("目前最大的幾個分表負載", "是否有設備剛啟動", "太陽光電與儲能的輸出"),
            safety="卸載不得關閉消防、排煙、排水、電梯與資訊機房用電。",
            suggestion="暫時降低冰水主機負載上限、延後充電與非必要設備，直到本時段結束。",
        ),
        "en": RuleTexts(
            name="This quarter-hour will end over the contract capacity",
            likely_causes=(
                "Chillers started together",
                "Peak load on a hot day",
                "Many vehicles charging at once",
                "Generator or photovoltaics off",
            ),
            what_to_check=(
                "The largest sub-meters at this moment",
                "What has just been started",
                "The output of photovoltaics",
            ),
            safety="Never shed fire protection, smoke extraction, drainage, lifts or the data centre.",
            suggestion="Lower the chillers' demand limit and hold back charging until the block ends.",
        ),
    },
    cases=(
        Case(
            "1,200 kW all through a contract of 1,000",
            {"energy": "0..600x31", "power": "1200x31"},
            ((2, Expect.NORMAL), (3, Expect.PENDING), (4, Expect.ACTIVE), (25, Expect.ACTIVE)),
            {"contract_kw": 1000.0},
            starts="2026-07-01T06:00:00+00:00",
        ),
        Case(
            "900 kW is under it",
            {"energy": "0..450x31", "power": "900x31"},
            ((30, Expect.NORMAL),),
            {"contract_kw": 1000.0},
            starts="2026-07-01T06:00:00+00:00",
        ),
        Case(
            "exactly at 98 % is not over",
            {"energy": "0..490x31", "power": "980x31"},
            ((30, Expect.NORMAL),),
            {"contract_kw": 1000.0},
            starts="2026-07-01T06:00:00+00:00",
        ),
        Case(
            "a late peak after a light start does not matter",
            {"energy": "0..300x28 310..330x3", "power": "600x28 1100x3"},
            ((30, Expect.NORMAL),),
            {"contract_kw": 1000.0},
            starts="2026-07-01T06:00:00+00:00",
        ),
        Case(
            "without the counter it cannot tell",
            {"energy": "?x31", "power": "1200x31"},
            ((30, Expect.NORMAL),),
            {"contract_kw": 1000.0},
            starts="2026-07-01T06:00:00+00:00",
        ),
        Case(
            "load falls in the next block: ends once that block can be judged",
            {"energy": "0..600x31 605..680x16", "power": "1200x31 300x16"},
            ((30, Expect.ACTIVE), (32, Expect.ACTIVE), (35, Expect.NORMAL)),
            {"contract_kw": 1000.0},
            starts="2026-07-01T06:00:00+00:00",
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Chance of the block's mean above the share of the contract, from the third minute on."""
    step_us = round(frame.step_s * US)
    elapsed_s = (frame.times - step_us) % (BLOCK_S * US) / US + frame.step_s
    energy = frame["energy"].values
    start = np.arange(len(frame)) - np.rint(elapsed_s / frame.step_s).astype(np.int64)
    used_kwh = np.where(start >= 0, energy - energy[np.maximum(start, 0)], np.nan)
    used_kwh = np.where(used_kwh < 0, np.nan, used_kwh)
    rest_s = BLOCK_S - elapsed_s
    load_kw = frame["power"].mean(frame.steps(p["load_min"] * 60))
    forecast = Signal((used_kwh + load_kw.values * rest_s / 3600.0) * 3600.0 / BLOCK_S)
    spread_kw = frame["power"].spread(frame.steps(BLOCK_S), covered=0.2)
    margin_kw = NormalDist().inv_cdf(p["probability"] / 100.0) * spread_kw.values * rest_s / BLOCK_S
    limit_kw = p["contract_kw"] * p["share"] / 100.0
    # in whole watts: the rounding of the sums must not decide at the limit
    sure = Signal(np.round(forecast.values - margin_kw, 3)) > limit_kw
    likely = Signal(np.round(forecast.values, 3)) > limit_kw
    judged = frame.mask(elapsed_s >= p["from_minute"] * 60)
    return Verdict(
        sure.where(judged), likely.where(judged), {"forecast_kW": forecast, "active_power_kW": frame["power"]}
    )
