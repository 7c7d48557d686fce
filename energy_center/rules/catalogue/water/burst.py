"""A lot of mains water flows while the building is closed.

A burst pipe or an open fire hose: damage grows by the minute. Source: engineering practice; told within a
quarter of an hour, while the slow night-leak rule needs nights.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="water-burst",
    subject="water",
    inputs=(Input("flow", Role.WATER_FLOW),),
    parameters=(
        Parameter(
            "most_m3_per_h",
            4.0,
            "m3/h",
            "engineering practice: more than tank fillings of a closed building",
            attribute="night_peak_m3_h",
        ),
        Parameter("from_h", 22.0, "h", "closed from, local"),
        Parameter("to_h", 5.0, "h", "closed until, local"),
    ),
    hold_s=900,
    keep_s=900,
    priority=Priority.HIGH,
    lookback_s=400,
    source="engineering practice: flow of a closed building",
    fault=("water_burst",),
    texts={
        "zh-TW": RuleTexts(
            name="非上班時段大量用水，疑似爆管",
            likely_causes=(
                "管線破裂",
                "消防或清潔用水未關",
                "水塔浮球閥失效溢流",
                "設備補水閥故障",
            ),
            what_to_check=(
                "地下室與管道間是否積水",
                "消防栓與水龍頭",
                "水塔溢流管",
                "總水表流量",
            ),
            safety="積水區域先斷電再進入。",
            suggestion="立即關閉分區閥或總閥，通知值班人員巡查各樓層。",
        ),
        "en": RuleTexts(
            name="Much water flows in a closed building",
            likely_causes=(
                "A pipe has burst",
                "Fire or cleaning water was left open",
                "A tank's float valve has failed",
                "A make-up valve has failed",
            ),
            what_to_check=(
                "Water in basements and shafts",
                "Hydrants and taps",
                "Overflow of the roof tanks",
                "Flow at the main meter",
            ),
            safety="Switch off the area before entering standing water.",
            suggestion="Shut the zone or the main valve now and have every floor walked.",
        ),
    },
    cases=(
        Case(
            "8 m3/h at midnight",
            {"flow": "0.1x20 8x40"},
            (
                (10, Expect.NORMAL),
                (25, Expect.PENDING),
                (55, Expect.ACTIVE),
            ),
            starts="2026-07-01T15:30:00+00:00",
        ),
        Case(
            "quiet night",
            {"flow": "0.1x60"},
            ((59, Expect.NORMAL),),
            starts="2026-07-01T15:30:00+00:00",
        ),
        Case(
            "by day people use water",
            {"flow": "12x60"},
            ((59, Expect.NORMAL),),
            starts="2026-07-01T03:00:00+00:00",
        ),
        Case(
            "not read: cannot tell",
            {"flow": "?x60"},
            ((59, Expect.NORMAL),),
            starts="2026-07-01T15:30:00+00:00",
        ),
    ),
    also=(
        "mains_valve_stuck",
        "tank_leak",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Five-minute mean over the limit, in the closed hours that run over midnight."""
    flow = frame["flow"].mean(frame.steps(300)).rounded()
    hours = frame.local_hours()
    closed = frame.mask((hours >= p["from_h"]) | (hours < p["to_h"]))
    return Verdict.above(flow, p["most_m3_per_h"], {"water_flow_m3_per_h": flow}, closed)
