"""A chiller runs though none of the air handlers it serves is scheduled.

The whole plant - chiller, pumps, towers - runs for nothing. Source: engineering practice; the request
logic of ASHRAE Guideline 36-2021, 5.20.2 stops the plant when nobody asks for it.
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
    rule_id="chiller-after-hours",
    subject="hvac",
    inputs=(
        Input("chiller", Role.CHILLER_STATUS),
        Input("power", Role.ACTIVE_POWER, optional=True),
        Input("schedules", Role.SCHEDULE, Where.COLD_USERS, many=True),
    ),
    parameters=(
        Parameter("edge_min", 30.0, "min", "engineering practice: run-on after closing"),
        Parameter("early_start_h", 1.5, "h", "engineering practice: optimum start of at most 90 min"),
        Parameter("opening_h", 8.0, "h", "office hours of Taiwan's public authorities, 08:00 local"),
    ),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.MEDIUM,
    lookback_s=1860,
    source="ASHRAE Guideline 36-2021 5.20.2; limits by engineering practice",
    fault=("after_hours_cooling",),
    texts={
        "zh-TW": RuleTexts(
            name="下班時段冰水主機仍運轉",
            likely_causes=("主機停在手動", "群控時程錯誤", "某區持續要求冷量", "時鐘或假日表錯誤"),
            what_to_check=(
                "主機與群控的手自動狀態",
                "群控時程與假日表",
                "是否有機房等全天用冷的區域，改由獨立空調供應",
            ),
            safety="停機依廠家程序，冰水泵延遲停止以防結冰。",
            suggestion="恢復群控時程；夜間小負載改用獨立機組。",
        ),
        "en": RuleTexts(
            name="Chiller runs outside all schedules",
            likely_causes=(
                "The chiller stands on manual",
                "The plant's schedule is wrong",
                "One zone keeps asking for cooling",
                "Clock or holiday list is wrong",
            ),
            what_to_check=(
                "Hand-auto state of chiller and plant control",
                "The plant's schedule and holiday list",
                "Is there a room that needs cold all day? Give it a unit of its own",
            ),
            safety="Stop by the maker's procedure; let the chilled-water pump run on against freezing.",
            suggestion="Put the plant back on its schedule; serve small night loads by separate units.",
        ),
    },
    cases=(
        Case(
            "runs on after closing",
            {
                "chiller": "1x150",
                "power": "120x150",
                "schedules[0]": "1x30 0x120",
                "schedules[1]": "1x20 0x130",
            },
            ((30, Expect.NORMAL), (80, Expect.PENDING), (100, Expect.ACTIVE)),
            starts="2026-07-01T10:00:00+00:00",
        ),
        Case(
            "one unit still scheduled",
            {"chiller": "1x150", "power": "120x150", "schedules[0]": "1x150", "schedules[1]": "0x150"},
            ((149, Expect.NORMAL),),
            starts="2026-07-01T10:00:00+00:00",
        ),
        Case(
            "a schedule that is not known cannot be called closed",
            {"chiller": "1x150", "power": "120x150", "schedules[0]": "?x150", "schedules[1]": "0x150"},
            ((149, Expect.NORMAL),),
            starts="2026-07-01T10:00:00+00:00",
        ),
        Case(
            "stops: ends after the keep time",
            {"chiller": "1x90 0x60", "power": "90x90 0x60", "schedules[0]": "0x150"},
            ((89, Expect.ACTIVE), (110, Expect.ACTIVE), (125, Expect.NORMAL)),
            starts="2026-07-01T12:00:00+00:00",
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Chiller on while every schedule has been off for longer than the edge, and not just before opening."""
    nobody = all_on([~schedule.on() for schedule in frame.all("schedules")])
    closed = held(nobody, frame.steps(p["edge_min"] * 60))
    hours = frame.local_hours()
    early = (hours >= p["opening_h"] - p["early_start_h"]) & (hours < p["opening_h"])
    condition = (frame["chiller"].on() & closed).where(frame.mask(~early))
    return Verdict(condition, figures={"active_power_kW": frame["power"]})


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:  # noqa: ARG001 the same shape for every rule
    """The chiller's own electricity; its pumps and towers come on top."""
    if not frame.has("power"):
        return Waste(basis="chiller power not metered")
    energy_kwh = float(np.nansum(frame["power"].values[mask.true])) * frame.step_s / 3600.0
    return Waste(energy_kwh=energy_kwh, basis="measured chiller power, without pumps and towers")
