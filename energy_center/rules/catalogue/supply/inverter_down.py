"""An inverter makes nothing in sunshine.

It has tripped or waits for the grid. Source: engineering practice: 300 W/m2 make any inverter work.
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
    Where,
)
from energy_center.rules.window import Frame, held

RULE = Rule(
    rule_id="pv-inverter-down",
    subject="supply",
    inputs=(
        Input("power", Role.ACTIVE_POWER),
        Input("sun", Role.SOLAR_IRRADIANCE, Where.SITE),
    ),
    parameters=(
        Parameter("least_sun", 300.0, "W/m2", "engineering practice: enough for any inverter"),
        Parameter("least_kw", 0.5, "kW", "engineering practice: makes nothing below it"),
    ),
    hold_s=1800,
    keep_s=1800,
    priority=Priority.MEDIUM,
    lookback_s=1000,
    source="engineering practice: no power in sunshine",
    fault=("inverter_tripped",),
    texts={
        "zh-TW": RuleTexts(
            name="變流器日照下停止發電",
            likely_causes=(
                "變流器跳脫",
                "市電電壓或頻率超出範圍",
                "直流開關斷開",
                "絕緣不良",
            ),
            what_to_check=(
                "變流器故障碼",
                "交流側電壓",
                "直流開關",
                "絕緣電阻",
            ),
            safety="直流側日照下持續帶電，須由合格人員操作。",
            suggestion="依故障碼復歸；反覆跳脫時通知維護廠商。",
        ),
        "en": RuleTexts(
            name="Inverter stands in sunshine",
            likely_causes=(
                "It has tripped",
                "Grid voltage or frequency out of range",
                "The DC switch is open",
                "Poor insulation",
            ),
            what_to_check=(
                "Its fault code",
                "AC voltage",
                "The DC switch",
                "Insulation resistance",
            ),
            safety="The DC side is live in daylight: qualified people only.",
            suggestion="Reset it by its code; when it trips again call its contractor.",
        ),
    },
    cases=(
        Case(
            "nothing at 700 W/m2",
            {"power": "-30x20 0x80", "sun": "700x100"},
            (
                (15, Expect.NORMAL),
                (30, Expect.PENDING),
                (80, Expect.ACTIVE),
            ),
        ),
        Case(
            "makes",
            {"power": "-30x100", "sun": "700x100"},
            ((99, Expect.NORMAL),),
        ),
        Case(
            "night",
            {"power": "0x100", "sun": "0x100"},
            ((99, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"power": "?x100", "sun": "700x100"},
            ((99, Expect.NORMAL),),
        ),
    ),
    classes=frozenset({"Inverter"}),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """No power for five minutes with the sun bright for a quarter of an hour."""
    made = -frame["power"].mean(frame.steps(300))
    bright = held(frame["sun"] > p["least_sun"], frame.steps(900))
    return Verdict(
        (made < p["least_kw"]).where(bright), figures={"power_kW": made, "sun_W_per_m2": frame["sun"]}
    )
