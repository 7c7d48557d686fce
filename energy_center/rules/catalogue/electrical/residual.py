"""A main meter and the meters below it do not agree.

A wrong or open current transformer, an unmetered load, a wrong feed in the site's description: bills by
sub-meter would be wrong. Source: balance of the meter tree; transformers lose one to two percent.
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
    Where,
)
from energy_center.rules.window import Frame, Signal

RULE = Rule(
    rule_id="main-sub-residual",
    subject="electrical",
    inputs=(
        Input("main", Role.ACTIVE_POWER),
        Input("parts", Role.ACTIVE_POWER, Where.PARTS, many=True),
    ),
    parameters=(
        Parameter(
            "most_share", 0.06, "1", "transformer losses of 1 to 2 %, metering class 1, asynchronous readings"
        ),
        Parameter("least_kw", 10.0, "kW", "engineering practice: below it shares say nothing"),
        Parameter(
            "average_min", 30.0, "min", "engineering practice: readings of meters are not simultaneous"
        ),
    ),
    hold_s=7200,
    keep_s=7200,
    priority=Priority.MEDIUM,
    lookback_s=1900,
    source="balance of the meter tree",
    fault=("ct_ratio_wrong",),
    texts={
        "zh-TW": RuleTexts(
            name="總表與分表不平衡",
            likely_causes=(
                "比流器開路或比值設定錯誤",
                "有未計量的負載",
                "分表上下游關係設定錯誤",
                "分表停滯",
            ),
            what_to_check=(
                "分表各相電流",
                "比流器比值與接線",
                "新增負載",
                "案場檔的上下游關係",
            ),
            safety="比流器二次側不可開路，須由合格人員作業。",
            suggestion="查出失準的分表並修正；修正前該分表帳務標示為暫估。",
        ),
        "en": RuleTexts(
            name="Main meter and sub-meters do not agree",
            likely_causes=(
                "A current transformer is open or its ratio wrong",
                "A load without a meter",
                "The feeds are described wrongly",
                "A sub-meter stands still",
            ),
            what_to_check=(
                "Phase currents of each sub-meter",
                "Ratio and wiring of the transformers",
                "New loads",
                "The feeds in the site file",
            ),
            safety="Never open a current transformer's secondary; qualified people only.",
            suggestion="Find the wrong meter and mend it; until then its bill is provisional.",
        ),
    },
    cases=(
        Case(
            "60 of 400 kW are missing",
            {"main": "400x300", "parts[0]": "200x300", "parts[1]": "140x300"},
            (
                (20, Expect.PENDING),
                (290, Expect.ACTIVE),
            ),
        ),
        Case(
            "losses of 1.5 %",
            {"main": "400x300", "parts[0]": "200x300", "parts[1]": "194x300"},
            ((299, Expect.NORMAL),),
        ),
        Case(
            "exactly 6 %",
            {"main": "400x300", "parts[0]": "200x300", "parts[1]": "176x300"},
            ((299, Expect.NORMAL),),
        ),
        Case(
            "a part is not read: cannot tell",
            {"main": "400x300", "parts[0]": "200x300", "parts[1]": "?x300"},
            ((299, Expect.NORMAL),),
        ),
    ),
    classes=frozenset({"Building_Electrical_Meter"}),
    also=(
        "unit_mismatch",
        "meter_offline",
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Half-hour means: share of the main meter that its parts do not explain."""
    steps = frame.steps(p["average_min"] * 60)
    main = frame["main"].mean(steps)
    parts = np.sum([part.mean(steps).values for part in frame.all("parts")], axis=0)
    gap = np.abs(main.values - parts)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = Signal(gap / np.abs(main.values)).rounded()
    large = Signal(gap) > p["least_kw"]
    figures = {"residual_share": share, "residual_kW": Signal(main.values - parts)}
    return Verdict.above(share, p["most_share"], figures, besides=large)
