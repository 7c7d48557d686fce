"""The generator was called, cranked, and did not run.

In an outage smoke extraction, fire pumps and lifts would stand still: Taiwan's fire rules want emergency
power within 10 s. States as in Deep Sea's GenComm: 0 stopped, 1 cranking, 2 warming up, 3 running, 4
cooling down.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, Mask, Signal

CRANKING, WARMING_UP = 1.0, 2.0

RULE = Rule(
    rule_id="generator-start-failed",
    subject="generator",
    inputs=(
        Input("state", Role.ENGINE_STATE),
        Input("battery", Role.BATTERY_VOLTAGE, optional=True),
        Input("fuel", Role.FUEL_LEVEL, optional=True),
    ),
    parameters=(
        Parameter("window_s", 180.0, "s", "engineering practice: three cranks with rests take 75 s"),
    ),
    hold_s=0,
    keep_s=3600,
    priority=Priority.CRITICAL,
    step_s=5,
    lookback_s=200,
    source="Taiwan fire rules: emergency power within 10 s; GenComm engine states",
    fault=("generator_fails_to_start",),
    texts={
        "zh-TW": RuleTexts(
            name="緊急發電機起動失敗",
            likely_causes=("蓄電池電壓不足", "燃油管進氣或濾清器堵塞", "緊急停止未復歸", "起動馬達故障"),
            what_to_check=("控制器警報碼", "蓄電池電壓與充電器", "燃油閥、油位與濾清器", "緊急停止按鈕"),
            safety="檢查前將控制器切到停止並拆蓄電池負極，避免突然起動。",
            suggestion="立即派員手動試車；修復前通知防災中心並備妥替代電源。",
        ),
        "en": RuleTexts(
            name="Emergency generator failed to start",
            likely_causes=(
                "The battery is weak",
                "Air in the fuel line or a blocked filter",
                "The emergency stop was not reset",
                "The starter motor has failed",
            ),
            what_to_check=(
                "The controller's alarm code",
                "Battery voltage and charger",
                "Fuel valve, level and filter",
                "The emergency stop button",
            ),
            safety="It may start suddenly: set it to stop and take off the battery's negative pole.",
            suggestion="Send somebody to start it by hand now; until mended tell the control room "
            "and keep other power at hand.",
        ),
    },
    cases=(
        Case(
            "cranks and gives up",
            {"state": "0x20 1x15 0x60"},
            ((2.5, Expect.NORMAL), (3, Expect.ACTIVE), (6, Expect.ACTIVE)),
            step_s=5,
        ),
        Case(
            "starts and is stopped again soon",
            {"state": "0x20 1x2 2x2 3x10 4x4 0x50"},
            ((3.5, Expect.NORMAL), (7, Expect.NORMAL)),
            step_s=5,
        ),
        Case("stands", {"state": "0x90"}, ((7, Expect.NORMAL),), step_s=5),
        Case(
            "still cranking: not yet known",
            {"state": "0x20 1x15"},
            ((2.8, Expect.NORMAL),),
            step_s=5,
        ),
        Case("not read: cannot tell", {"state": "?x90"}, ((7, Expect.NORMAL),), step_s=5),
    ),
)


def _seen(mask: Mask, steps: int) -> Mask:
    """True where it was true in any of the last steps; what was not read counts as not seen."""
    seen = Signal(mask.true.astype(np.float64)).highest(steps)
    return seen > 0.0


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Stands now, cranked a short while ago, and did not run in between."""
    state, steps = frame["state"], frame.steps(p["window_s"])
    cranked = _seen((state > CRANKING - 0.5) & (state < CRANKING + 0.5), steps)
    ran = _seen(state > WARMING_UP - 0.5, steps)
    condition = (state < CRANKING - 0.5) & cranked & ~ran
    figures = {"battery_V": frame["battery"], "fuel_%": frame["fuel"]}
    return Verdict(condition, figures=figures)
