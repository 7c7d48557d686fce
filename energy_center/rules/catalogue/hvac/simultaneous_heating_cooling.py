"""An air handler cools and reheats together though the air is dry enough.

The heat is paid for twice: once to make it, once to cool it away. Source: ASHRAE Guideline 36-2021,
5.16.14 and NIST APAR (House et al. 2001). Reheat is wanted where the air must be dried, therefore the
humidity limit.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="ahu-simultaneous-heating-cooling",
    subject="hvac",
    inputs=(
        Input("cooling", Role.CHILLED_WATER_VALVE),
        Input("reheat", Role.REHEAT_VALVE),
        Input("humidity", Role.RETURN_AIR_HUMIDITY),
        Input("fan", Role.FAN_STATUS),
    ),
    parameters=(
        Parameter("valve_open", 5.0, "%", "ASHRAE Guideline 36-2021 5.16.14"),
        Parameter("dry_below", 55.0, "%", "engineering practice: no need to dry below"),
        Parameter("average_min", 5.0, "min", "ASHRAE Guideline 36-2021 5.16.14: five-minute means"),
    ),
    hold_s=1800,
    keep_s=900,
    priority=Priority.MEDIUM,
    lookback_s=360,
    source="ASHRAE Guideline 36-2021 5.16.14; NIST APAR",
    fault=("reheat_against_cooling",),
    texts={
        "zh-TW": RuleTexts(
            name="空調箱同時冷卻與再熱",
            likely_causes=("再熱閥卡住或洩漏", "再熱控制被手動覆寫", "除濕設定過低", "冷熱控制迴路死帶不足"),
            what_to_check=(
                "再熱閥實際位置與指令",
                "控制器的手動覆寫",
                "除濕設定與回風濕度",
                "冷熱設定間的死帶",
            ),
            safety="電熱式再熱檢修前須斷電並驗電。",
            suggestion="關閉再熱並修閥；僅於回風濕度高於設定時允許再熱。",
        ),
        "en": RuleTexts(
            name="Air handler heats and cools together",
            likely_causes=(
                "The reheat valve sticks or leaks",
                "Reheat was overridden by hand",
                "The humidity set-point is too low",
                "Too little dead band between heating and cooling",
            ),
            what_to_check=(
                "True position of the reheat valve against its command",
                "Overrides in the controller",
                "Humidity set-point and return humidity",
                "The dead band",
            ),
            safety="Electric reheat: switch off and test before working on it.",
            suggestion="Shut the reheat and mend its valve; allow it only while the return air is too humid.",
        ),
    },
    cases=(
        Case(
            "reheat at 45 % in dry air",
            {"cooling": "60x60", "reheat": "0x10 45x50", "humidity": "50x60", "fan": "1x60"},
            ((9, Expect.NORMAL), (20, Expect.PENDING), (50, Expect.ACTIVE)),
        ),
        Case(
            "reheat because the air is humid",
            {"cooling": "60x60", "reheat": "45x60", "humidity": "68x60", "fan": "1x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "exactly at 5 % is shut",
            {"cooling": "60x60", "reheat": "5x60", "humidity": "50x60", "fan": "1x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "fan off",
            {"cooling": "60x60", "reheat": "45x60", "humidity": "50x60", "fan": "0x60"},
            ((59, Expect.NORMAL),),
        ),
        Case(
            "humidity not read: cannot tell",
            {"cooling": "60x60", "reheat": "45x60", "humidity": "?x60", "fan": "1x60"},
            ((59, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Both valves open while the return air is dry, with the fan running."""
    steps = frame.steps(p["average_min"] * 60)
    cooling, reheat = frame["cooling"].mean(steps), frame["reheat"].mean(steps)
    humidity = frame["humidity"].mean(steps)
    both = (cooling > p["valve_open"]) & (reheat > p["valve_open"])
    running = frame["fan"].on()
    figures = {"chilled_water_valve_%": cooling, "reheat_valve_%": reheat, "humidity_%": humidity}
    return Verdict.below(humidity, p["dry_below"], figures, running, both)
