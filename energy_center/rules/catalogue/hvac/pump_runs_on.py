"""A primary or condenser-water pump runs while no chiller of its building does.

It moves water for nothing, day and night. Source: ASHRAE Guideline 36-2021, pumps follow the chillers; run-on
after a stop is wanted and short.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
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
from energy_center.rules.window import Frame, Mask, all_on, held

RULE = Rule(
    rule_id="pump-runs-without-chiller",
    subject="hvac",
    inputs=(
        Input("pump", Role.PUMP_STATUS),
        Input("power", Role.ACTIVE_POWER, optional=True),
        Input("chillers", Role.CHILLER_STATUS, Where.SITE, many=True),
    ),
    parameters=(Parameter("run_on_min", 30.0, "min", "engineering practice: run-on after the last chiller"),),
    hold_s=1800,
    keep_s=900,
    priority=Priority.MEDIUM,
    lookback_s=1900,
    source="ASHRAE Guideline 36-2021: pumps follow the chillers",
    fault=("pump_runs_on",),
    texts={
        "zh-TW": RuleTexts(
            name="主機停止後水泵仍運轉",
            likely_causes=(
                "現場開關停在手動",
                "接觸器黏著",
                "群控連鎖失效",
                "防凍或輪替程序未結束",
            ),
            what_to_check=(
                "手自動開關",
                "接觸器與輔助接點",
                "群控程式",
                "是否有維護作業",
            ),
            safety="檢修前停電上鎖並關閉前後閥。",
            suggestion="恢復自動；接觸器黏著者立即更換。",
        ),
        "en": RuleTexts(
            name="Pump runs though no chiller does",
            likely_causes=(
                "The local switch stands on manual",
                "The contactor has welded",
                "The interlock is lost",
                "A frost or rotation program did not end",
            ),
            what_to_check=(
                "Hand-auto switch",
                "Contactor and its auxiliary contact",
                "The plant program",
                "Is maintenance under way?",
            ),
            safety="Lock out the supply and shut the valves before working on it.",
            suggestion="Put it back to automatic; replace a welded contactor at once.",
        ),
    },
    cases=(
        Case(
            "runs on all evening",
            {"pump": "1x120", "power": "15x120", "chillers[0]": "1x20 0x100", "chillers[1]": "0x120"},
            (
                (20, Expect.NORMAL),
                (60, Expect.PENDING),
                (90, Expect.ACTIVE),
            ),
        ),
        Case(
            "stops after its run-on",
            {"pump": "1x40 0x80", "power": "15x40 0x80", "chillers[0]": "1x20 0x100", "chillers[1]": "0x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "the other chiller runs",
            {"pump": "1x120", "power": "15x120", "chillers[0]": "0x120", "chillers[1]": "1x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "a chiller is not read: cannot tell",
            {"pump": "1x120", "power": "15x120", "chillers[0]": "0x120", "chillers[1]": "?x120"},
            ((119, Expect.NORMAL),),
        ),
    ),
    classes=frozenset({"Chilled_Water_Pump", "Condenser_Water_Pump"}),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Pump on while every chiller is off for longer than the run-on."""
    none = held(
        all_on([~chiller.on() for chiller in frame.all("chillers")]), frame.steps(p["run_on_min"] * 60)
    )
    return Verdict(frame["pump"].on() & none, figures={"pump_status": frame["pump"]})


def saving(frame: Frame, mask: Mask, _p: Parameters) -> Waste:
    """All of the pump's measured power."""
    if not frame.has("power"):
        return Waste(basis="pump power not metered")
    wasted_kwh = float(np.nansum(frame["power"].values[mask.true])) * frame.step_s / 3600.0
    return Waste(energy_kwh=wasted_kwh, basis="measured power of the pump")
