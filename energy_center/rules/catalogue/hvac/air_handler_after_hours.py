"""An air handler, outdoor-air or fan-coil unit runs though its schedule says closed.

The fan's power and the cold air are paid for with nobody there. Source: engineering practice for schedule
faults, as in ASHRAE Guideline 36-2021, 5.1.14 (operating schedules). Running before the usual opening is
optimum start and wanted; the first half hour after closing is the fan's run-on.
"""

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
)
from energy_center.rules.window import Frame, Mask, held

# kW of plant electricity per kW of cooling where the plant is not metered: 0.85 kW/RT / 3.517
PLANT_KW_PER_KW = 0.24

RULE = Rule(
    rule_id="ahu-off-schedule",
    subject="hvac",
    inputs=(
        Input("fan", Role.FAN_STATUS),
        Input("schedule", Role.SCHEDULE),
        Input("valve", Role.CHILLED_WATER_VALVE, optional=True),
    ),
    parameters=(
        Parameter("edge_min", 30.0, "min", "engineering practice: run-on after closing"),
        Parameter("early_start_h", 1.5, "h", "engineering practice: optimum start of at most 90 min"),
        Parameter("opening_h", 8.0, "h", "office hours of Taiwan's public authorities, 08:00 local"),
        Parameter("fan_kw", 0.0, "kW", "name plate; 0: not known", attribute="rated_kw"),
        Parameter("cooling_kw", 0.0, "kW", "design coil duty; 0: not known", attribute="rated_cooling_kw"),
    ),
    hold_s=1800,
    keep_s=900,
    priority=Priority.MEDIUM,
    lookback_s=1860,
    source="ASHRAE Guideline 36-2021 5.1.14; limits by engineering practice",
    fault=("after_hours_cooling",),
    texts={
        "zh-TW": RuleTexts(
            name="下班時段空調仍運轉",
            likely_causes=(
                "時程被手動改為常開",
                "現場開關停在手動位置",
                "加班申請結束後未恢復",
                "控制器時鐘或假日表錯誤",
            ),
            what_to_check=(
                "確認是否有核准的加班、活動或夜間換氣",
                "查看控制器的時程、假日表與手動覆寫",
                "到現場確認手自動開關位置",
            ),
            safety="箱體檢修前先停電上鎖並等風扇停止。",
            suggestion="恢復自動時程；常有加班的區域改用預約延長，到時自動關閉。",
        ),
        "en": RuleTexts(
            name="Air handling runs outside its schedule",
            likely_causes=(
                "The schedule was set to always on by hand",
                "The local switch stands on manual",
                "An overtime request ended and nothing was put back",
                "The controller's clock or holiday list is wrong",
            ),
            what_to_check=(
                "Is there approved overtime, an event or a night purge?",
                "Schedule, holiday list and overrides in the controller",
                "The position of the hand-auto switch at the unit",
            ),
            safety="Lock out the supply and wait for the fan to stop before opening the unit.",
            suggestion="Put the schedule back on automatic; where overtime is common, "
            "extend it by bookings that end.",
        ),
    },
    cases=(
        Case(
            "on all evening",
            {"fan": "1x180", "schedule": "1x60 0x120", "valve": "40x180"},
            ((60, Expect.NORMAL), (100, Expect.PENDING), (150, Expect.ACTIVE)),
            starts="2026-07-01T09:30:00+00:00",
        ),
        Case(
            "off with the schedule",
            {"fan": "1x60 0x120", "schedule": "1x60 0x120", "valve": "40x60 0x120"},
            ((60, Expect.NORMAL), (150, Expect.NORMAL)),
            starts="2026-07-01T09:30:00+00:00",
        ),
        Case(
            "run-on within the first half hour is allowed",
            {"fan": "1x88 0x60", "schedule": "1x60 0x88", "valve": "0x148"},
            ((80, Expect.NORMAL), (147, Expect.NORMAL)),
            starts="2026-07-01T09:30:00+00:00",
        ),
        Case(
            "optimum start before opening is allowed",
            {"fan": "1x90", "schedule": "0x90", "valve": "90x90"},
            ((60, Expect.NORMAL), (89, Expect.NORMAL)),
            starts="2026-06-30T22:30:00+00:00",
        ),
        Case(
            "a gap of 10 min pauses the hold",
            {"fan": "1x50 ?x10 1x60", "schedule": "0x120", "valve": "0x120"},
            ((49, Expect.PENDING), (55, Expect.PENDING), (69, Expect.PENDING), (71, Expect.ACTIVE)),
            starts="2026-07-01T14:00:00+00:00",
        ),
        Case(
            "a long gap starts the hold again",
            {"fan": "1x50 ?x20 1x60", "schedule": "0x130", "valve": "0x130"},
            ((49, Expect.PENDING), (66, Expect.NORMAL), (75, Expect.PENDING), (105, Expect.ACTIVE)),
            starts="2026-07-01T14:00:00+00:00",
        ),
        Case(
            "off for less than the keep time is the same alarm, longer ends it",
            {"fan": "1x90 0x10 1x10 0x40", "schedule": "0x150", "valve": "0x150"},
            ((89, Expect.ACTIVE), (99, Expect.ACTIVE), (109, Expect.ACTIVE), (140, Expect.NORMAL)),
            starts="2026-07-01T14:00:00+00:00",
        ),
        Case(
            "without a schedule it cannot tell",
            {"fan": "1x180", "schedule": "?x180", "valve": "40x180"},
            ((179, Expect.NORMAL),),
            starts="2026-07-01T14:00:00+00:00",
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Fan proven on, schedule off for longer than the edge, and not just before opening."""
    closed = held(~frame["schedule"].on(), frame.steps(p["edge_min"] * 60))
    hours = frame.local_hours()
    early = (hours >= p["opening_h"] - p["early_start_h"]) & (hours < p["opening_h"])
    condition = (frame["fan"].on() & closed).where(frame.mask(~early))
    return Verdict(condition, figures={"chilled_water_valve_%": frame["valve"]})


def saving(frame: Frame, mask: Mask, p: Parameters) -> Waste:
    """Fan at its rated power, and the coil's duty by its valve at the plant's usual efficiency."""
    hours = mask.true * frame.step_s / 3600.0
    valve = frame["valve"].values
    opening = valve[mask.true & (valve == valve)] / 100.0  # noqa: PLR0124 NaN is not itself
    cooling_kwh = float(opening.sum()) * frame.step_s / 3600.0 * p["cooling_kw"] * PLANT_KW_PER_KW
    fan_kwh = float(hours.sum()) * p["fan_kw"]
    if p["fan_kw"] <= 0 and p["cooling_kw"] <= 0:
        return Waste(basis="no rated power given")
    return Waste(energy_kwh=fan_kwh + cooling_kwh, basis="rated fan power and valve opening; estimated")
