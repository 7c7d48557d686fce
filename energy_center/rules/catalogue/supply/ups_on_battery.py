"""The uninterruptible supply runs on its battery.

Its input is gone: what it feeds has minutes left. Source: engineering practice; RFC 1628 upsOutputSource
battery.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="ups-on-battery",
    subject="supply",
    inputs=(Input("battery", Role.ON_BATTERY),),
    parameters=(),
    hold_s=30,
    keep_s=300,
    priority=Priority.HIGH,
    step_s=10,
    source="engineering practice: half a minute outlasts a self-test",
    fault=("ups_on_battery",),
    texts={
        "zh-TW": RuleTexts(
            name="不斷電系統由電池供電",
            likely_causes=(
                "市電中斷",
                "輸入斷路器跳脫",
                "整流器故障",
                "自我測試",
            ),
            what_to_check=(
                "輸入電壓與斷路器",
                "剩餘時間",
                "發電機是否供電",
            ),
            safety="電池端子帶電，勿以金屬工具碰觸。",
            suggestion="確認發電機供電或恢復輸入；剩餘不足時依序關閉非必要主機。",
        ),
        "en": RuleTexts(
            name="The UPS runs on its battery",
            likely_causes=(
                "The mains are gone",
                "Its input breaker has tripped",
                "The rectifier has failed",
                "A self-test",
            ),
            what_to_check=(
                "Input voltage and breaker",
                "Time left",
                "Does the generator feed it?",
            ),
            safety="Battery terminals are live: no metal tools.",
            suggestion=(
                "Bring back its input or the generator; if time runs short, shut down machines in order."
            ),
        ),
    },
    cases=(
        Case(
            "input lost",
            {"battery": "0x3 1x9"},
            (
                (0.3333333333333333, Expect.NORMAL),
                (1.8333333333333333, Expect.ACTIVE),
            ),
            step_s=10,
        ),
        Case(
            "on mains",
            {"battery": "0x9"},
            ((1.3333333333333333, Expect.NORMAL),),
            step_s=10,
        ),
        Case(
            "not read: cannot tell",
            {"battery": "?x9"},
            ((1.3333333333333333, Expect.NORMAL),),
            step_s=10,
        ),
    ),
)


def detect(frame: Frame, _p: Parameters) -> Verdict:
    """It feeds from its battery."""
    return Verdict(frame["battery"].on(), figures={"on_battery": frame["battery"]})
