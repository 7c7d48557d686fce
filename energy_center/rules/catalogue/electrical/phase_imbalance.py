"""One phase of a feeder carries much more or less than the others.

Uneven currents load the neutral, heat transformers and shift voltages; motors suffer from 1 % of voltage
imbalance on (after NEMA MG 1-2021, 14.36). Usually single-phase circuits were added to one phase, or a
fuse blew.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Floats, Frame, Signal

RULE = Rule(
    rule_id="phase-imbalance",
    subject="electrical",
    inputs=(
        Input("l1", Role.CURRENT_L1),
        Input("l2", Role.CURRENT_L2),
        Input("l3", Role.CURRENT_L3),
        Input("power", Role.ACTIVE_POWER),
    ),
    parameters=(
        Parameter("most_pct", 20.0, "%", "after NEMA MG 1-2021 14.36: deviation from the mean current"),
        Parameter("least_a", 10.0, "A", "engineering practice: below it single lamps decide"),
        Parameter("average_min", 15.0, "min", "engineering practice"),
    ),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.MEDIUM,
    lookback_s=960,
    source="after NEMA MG 1-2021 14.36",
    fault=("phase_imbalance",),
    texts={
        "zh-TW": RuleTexts(
            name="三相電流不平衡",
            likely_causes=("單相負載集中於一相", "一相熔絲斷或接點不良", "比流器接線錯誤"),
            what_to_check=("各相電流與電壓", "配電盤各分路的相別", "熔絲與端子溫度(紅外線)"),
            safety="開盤量測為活線作業，須由合格電氣人員著防護具執行。",
            suggestion="將單相分路重新分配到三相；端子過熱先停電鎖緊。",
        ),
        "en": RuleTexts(
            name="Phase currents are out of balance",
            likely_causes=(
                "Single-phase loads gathered on one phase",
                "A blown fuse or a bad contact",
                "Current transformers wired wrongly",
            ),
            what_to_check=(
                "Current and voltage of each phase",
                "Which circuits hang on which phase",
                "Temperature of fuses and terminals (infrared)",
            ),
            safety="Measuring in an open panel is live work for qualified electricians with protection.",
            suggestion="Spread the single-phase circuits evenly; tighten hot terminals with power off.",
        ),
    },
    cases=(
        Case(
            "45 : 30 : 25",
            {"l1": "33x20 45x70", "l2": "33x20 30x70", "l3": "33x20 25x70", "power": "20x90"},
            ((19, Expect.NORMAL), (40, Expect.PENDING), (70, Expect.ACTIVE)),
        ),
        Case(
            "within a tenth",
            {"l1": "36x90", "l2": "33x90", "l3": "31x90", "power": "20x90"},
            ((89, Expect.NORMAL),),
        ),
        Case(
            "exactly 20 % is not over",
            {"l1": "60x90", "l2": "50x90", "l3": "40x90", "power": "20x90"},
            ((89, Expect.NORMAL),),
        ),
        Case(
            "next to no load",
            {"l1": "3x90", "l2": "1x90", "l3": "1x90", "power": "1x90"},
            ((89, Expect.NORMAL),),
        ),
        Case(
            "one phase is not read: cannot tell",
            {"l1": "45x90", "l2": "30x90", "l3": "?x90", "power": "20x90"},
            ((89, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Largest deviation of a phase from the mean of the three, over quarter-hour means."""
    steps = frame.steps(p["average_min"] * 60)
    phases: Floats = np.stack([frame[name].mean(steps).values for name in ("l1", "l2", "l3")])
    mean: Floats = phases.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.abs(phases - mean).max(axis=0) / mean * 100.0
    deviation[~np.isfinite(deviation)] = np.nan
    off = Signal(deviation).rounded()
    loaded = Signal(mean) > p["least_a"]
    return Verdict.above(off, p["most_pct"], {"imbalance_%": off, "active_power_kW": frame["power"]}, loaded)
