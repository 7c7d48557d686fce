"""The CO2 of a room's air stays above the legal limit.

Too little outdoor air for the people in it. Source: Taiwan's Indoor Air Quality Standards (室內空氣品質標準),
article 2: CO2 1,000 ppm as a mean of eight hours; told after one hour above it, in time to act.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="zone-co2-high",
    subject="indoor_air",
    inputs=(Input("co2", Role.ZONE_CO2),),
    parameters=(
        Parameter("most_ppm", 1000.0, "[ppm]", "Indoor Air Quality Standards of Taiwan, article 2"),
        Parameter("average_min", 15.0, "min", "engineering practice: people come and go"),
    ),
    hold_s=3600,
    keep_s=1800,
    priority=Priority.MEDIUM,
    lookback_s=1000,
    source="Indoor Air Quality Standards of Taiwan, article 2: 1,000 ppm",
    fault=("ventilation_failed",),
    texts={
        "zh-TW": RuleTexts(
            name="室內二氧化碳濃度過高",
            likely_causes=(
                "外氣風機未運轉",
                "外氣風門關閉或卡住",
                "人數超過設計",
                "濾網堵塞使外氣量不足",
            ),
            what_to_check=(
                "外氣空調箱運轉狀態",
                "外氣風門開度",
                "現場人數與會議排程",
                "感測器以戶外空氣比對",
            ),
            safety="外氣箱檢修前停電上鎖。",
            suggestion="加大外氣量或開窗；仍偏高時檢查外氣系統與人數上限。",
        ),
        "en": RuleTexts(
            name="CO2 in the room is too high",
            likely_causes=(
                "The outdoor-air fan does not run",
                "The outdoor-air damper is shut or stuck",
                "More people than it is made for",
                "A clogged filter takes the outdoor air",
            ),
            what_to_check=(
                "State of the outdoor-air unit",
                "Position of the damper",
                "People and meetings",
                "The sensor against outdoor air",
            ),
            safety="Lock out the unit before working in it.",
            suggestion=(
                "Bring in more outdoor air or open windows; if it stays high, look at the unit and "
                "the number of people."
            ),
        ),
    },
    cases=(
        Case(
            "1,300 ppm for two hours",
            {"co2": "800x20 1300x120"},
            (
                (15, Expect.NORMAL),
                (50, Expect.PENDING),
                (130, Expect.ACTIVE),
            ),
        ),
        Case(
            "800 ppm",
            {"co2": "800x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "exactly at the limit",
            {"co2": "1000x120"},
            ((119, Expect.NORMAL),),
        ),
        Case(
            "a short meeting",
            {"co2": "800x30 1200x40 800x60"},
            ((129, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"co2": "?x120"},
            ((119, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Quarter-hour mean over the limit."""
    mean = frame["co2"].mean(frame.steps(p["average_min"] * 60)).rounded()
    return Verdict.above(mean, p["most_ppm"], {"zone_co2_ppm": mean})
