"""Carbon monoxide in the car park stays above the alarm level.

Poisonous: people must not stay, and the fans must run. Source: Taiwan's workplace limit of 35 ppm for eight
hours (勞工作業場所容許暴露標準); the fans should hold it well below.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="car-park-co-high",
    subject="indoor_air",
    inputs=(Input("co", Role.CO_CONCENTRATION),),
    parameters=(
        Parameter(
            "most_ppm", 25.0, "[ppm]", "engineering practice: car parks, below the workplace limit of 35 ppm"
        ),
        Parameter("average_min", 10.0, "min", "engineering practice"),
    ),
    hold_s=600,
    keep_s=900,
    priority=Priority.CRITICAL,
    lookback_s=700,
    source="Workplace exposure standards of Taiwan: CO 35 ppm over 8 h",
    fault=("exhaust_failed",),
    texts={
        "zh-TW": RuleTexts(
            name="停車場一氧化碳濃度過高",
            likely_causes=(
                "排風機未運轉",
                "車輛壅塞怠速",
                "感測器過期漂移",
                "排風口堵塞",
            ),
            what_to_check=(
                "排風機狀態與手自動開關",
                "現場車流",
                "以手持偵測器比對",
                "排風口與風管",
            ),
            safety="先疏散並以手持偵測器量測，濃度下降前勿久留。",
            suggestion="立即手動啟動全部排風機並疏導車流；無法下降時管制停車場進出。",
        ),
        "en": RuleTexts(
            name="Carbon monoxide in the car park is high",
            likely_causes=(
                "The exhaust fans do not run",
                "Cars queue with running engines",
                "The sensor has drifted",
                "The exhaust is blocked",
            ),
            what_to_check=(
                "State and hand-auto switch of the fans",
                "Traffic on the ramps",
                "A hand-held detector beside the sensor",
                "Grilles and ducts",
            ),
            safety="Clear the area first and measure by hand; do not stay until it has fallen.",
            suggestion=(
                "Start all exhaust fans by hand and clear the traffic; if it does not fall, close "
                "the car park."
            ),
        ),
    },
    cases=(
        Case(
            "40 ppm",
            {"co": "10x20 40x30"},
            (
                (15, Expect.NORMAL),
                (28, Expect.PENDING),
                (45, Expect.ACTIVE),
            ),
        ),
        Case(
            "rush hour with fans",
            {"co": "15x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "exactly at the level",
            {"co": "25x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"co": "?x60"},
            ((59, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Ten-minute mean over the level."""
    mean = frame["co"].mean(frame.steps(p["average_min"] * 60)).rounded()
    return Verdict.above(mean, p["most_ppm"], {"co_ppm": mean})
