"""A device has not answered for some time: what it measures is unknown, other rules are blind there.

Source: engineering practice. When all devices behind one connection are silent the gateway is the cause:
that is `dq-gateway-offline`, and this rule stays quiet.
"""

from energy_center.domain.alarms import Priority
from energy_center.rules.rule import Case, Expect, Input, Parameters, Path, Rule, RuleTexts, Verdict, Where
from energy_center.rules.window import Frame, any_on

RULE = Rule(
    rule_id="dq-offline",
    subject="data_quality",
    inputs=(
        Input("device", where=Where.DEVICE),
        Input("siblings", where=Where.SIBLINGS, many=True, optional=True),
    ),
    parameters=(),
    hold_s=300,
    keep_s=120,
    priority=Priority.MEDIUM,
    step_s=30,
    source="engineering practice: silent for 5 min",
    fault=("meter_offline",),
    hides=frozenset({Path.DATA}),
    texts={
        "zh-TW": RuleTexts(
            name="設備離線",
            likely_causes=("設備斷電", "通訊線鬆脫或終端電阻遺漏", "位址重複或被更改", "網路交換器埠故障"),
            what_to_check=("設備電源與通訊燈號", "通訊線與接地", "以 probe 指令單獨讀取", "位址與通訊參數"),
            safety="電表盤內帶電作業須由合格電氣人員執行。",
            suggestion="恢復通訊；期間相關規則標示為無法判斷，帳務資料標示為暫估。",
        ),
        "en": RuleTexts(
            name="Device does not answer",
            likely_causes=(
                "The device has no power",
                "A loose wire or a missing terminator",
                "An address was changed or is used twice",
                "The switch port has failed",
            ),
            what_to_check=(
                "Supply and communication lamps",
                "Wiring and earth of the bus",
                "Read it alone with the probe command",
                "Address and line settings",
            ),
            safety="Work in a live meter panel is for qualified electricians only.",
            suggestion="Bring it back; until then its rules cannot tell and its bills are provisional.",
        ),
    },
    cases=(
        Case(
            "silent for 10 min",
            {"device": "1x10 0x20", "siblings[0]": "1x30"},
            ((2, Expect.NORMAL), (7, Expect.PENDING), (11, Expect.ACTIVE)),
            step_s=30,
        ),
        Case("answers", {"device": "1x30", "siblings[0]": "0x30"}, ((14, Expect.NORMAL),), step_s=30),
        Case(
            "all silent: the gateway's alarm, not this one",
            {"device": "0x30", "siblings[0]": "0x30", "siblings[1]": "0x30"},
            ((14, Expect.NORMAL),),
            step_s=30,
        ),
        Case("a device alone behind its connection", {"device": "0x30"}, ((6, Expect.ACTIVE),), step_s=30),
        Case("never seen yet: cannot tell", {"device": "?x30"}, ((14, Expect.NORMAL),), step_s=30),
        Case(
            "back: ends after the keep time",
            {"device": "0x14 1x10"},
            ((6.5, Expect.ACTIVE), (8, Expect.ACTIVE), (10, Expect.NORMAL)),
            step_s=30,
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:  # noqa: ARG001 the same shape for every rule
    """The device is away while at least one neighbour behind the same connection answers."""
    away = ~frame["device"].on()
    siblings = frame.all("siblings")
    if siblings:
        away = away & any_on([s.on() for s in siblings])
    return Verdict(away)
