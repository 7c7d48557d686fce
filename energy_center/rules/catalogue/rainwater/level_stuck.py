"""The level of the rainwater tank stands still while water goes in or out.

A float that hangs or a dirty probe: make-up and overflow follow a wrong level. Source: mass balance.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

WINDOW_S = 6 * 3600

RULE = Rule(
    rule_id="rain-level-stuck",
    subject="rainwater",
    inputs=(
        Input("level", Role.TANK_LEVEL),
        Input("used", Role.TANK_OUTLET_VOLUME),
        Input("inlet", Role.TANK_INLET_VOLUME, optional=True),
        Input("mains", Role.MAINS_VOLUME, optional=True),
    ),
    parameters=(
        Parameter(
            "most_pct", 0.02, "%", "engineering practice: less than a sensor's last digits in six hours"
        ),
        Parameter("least_m3", 0.6, "m3", "engineering practice: half a percent of the tank"),
        Parameter("full_at", 97.0, "%", "engineering practice: a full tank overflows at a steady level"),
    ),
    hold_s=3600,
    keep_s=3600,
    priority=Priority.MEDIUM,
    step_s=300,
    lookback_s=WINDOW_S + 600,
    source="mass balance: level unchanged for 6 h while water was used",
    fault=("tank_level_stuck",),
    texts={
        "zh-TW": RuleTexts(
            name="雨水池液位計停滯",
            likely_causes=(
                "浮球卡住",
                "液位計沾附污垢",
                "訊號線或輸入模組故障",
            ),
            what_to_check=(
                "目視水位與讀值比對",
                "浮球與導桿",
                "液位計清潔",
            ),
            safety="池體屬局限空間，不可單獨進入。",
            suggestion="清潔或更換液位計；修復前改以手動方式管理補水。",
        ),
        "en": RuleTexts(
            name="Rain tank's level stands still",
            likely_causes=(
                "The float hangs",
                "The probe is dirty",
                "The signal or its input has failed",
            ),
            what_to_check=(
                "The level by eye against the reading",
                "Float and guide",
                "Is the probe clean?",
            ),
            safety="Tanks are confined spaces: nobody goes in alone.",
            suggestion="Clean or replace the sensor; until then mind the make-up by hand.",
        ),
    },
    cases=(
        Case(
            "still for ten hours of use",
            {"level": "60x600", "used": "100..106x600"},
            ((60, Expect.NORMAL), (590, Expect.ACTIVE)),
        ),
        Case("falls with use", {"level": "60..55x600", "used": "100..106x600"}, ((599, Expect.NORMAL),)),
        Case("nothing used", {"level": "60x600", "used": "100x600"}, ((599, Expect.NORMAL),)),
        Case("full and overflowing", {"level": "100x600", "used": "100..106x600"}, ((599, Expect.NORMAL),)),
        Case(
            "hangs at the top though more goes out than comes in",
            {"level": "99x600", "used": "100..106x600", "inlet": "50..51x600"},
            ((60, Expect.NORMAL), (590, Expect.ACTIVE)),
        ),
        Case(
            "full: rain makes up for the use",
            {"level": "100x600", "used": "100..106x600", "inlet": "50..70x600"},
            ((599, Expect.NORMAL),),
        ),
        Case(
            "full: mains water makes up for the use",
            {"level": "99x600", "used": "100..106x600", "inlet": "50x600", "mains": "10..17x600"},
            ((599, Expect.NORMAL),),
        ),
        Case(
            "free again on a day without use",
            {"level": "60x600 55..54.9x600", "used": "100..106x600 106x600"},
            ((590, Expect.ACTIVE), (800, Expect.NORMAL), (1199, Expect.NORMAL)),
        ),
        Case(
            "level not read: cannot tell", {"level": "?x600", "used": "100..106x600"}, ((599, Expect.NORMAL),)
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Span of the level within six hours against what the meter let out of the tank.

    At the top the level may stand still, unless the meters say that less came in than went out.
    """
    steps = frame.steps(WINDOW_S)
    span, used = frame["level"].span(steps, covered=0.9), frame["used"].rise(steps)
    moved = (used > p["least_m3"]) & (frame["level"] < p["full_at"])
    if frame.has("inlet"):
        net = used - frame["inlet"].rise(steps)
        if frame.has("mains"):
            net = net - frame["mains"].rise(steps)
        moved = moved | (net > p["least_m3"])
    stands = span < p["most_pct"]
    # a level that moves is free again, whatever was used meanwhile
    return Verdict(stands.where(moved | ~stands), figures={"tank_level_%": frame["level"], "used_m3": used})
