"""A supervised system - video recorder, access control, telephone exchange - does not work.

Its failure is seldom noticed before it is needed. Source: engineering practice; ten minutes outlast a
restart.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

RULE = Rule(
    rule_id="supervised-system-down",
    subject="safety",
    inputs=(Input("status", Role.SYSTEM_STATUS),),
    parameters=(),
    hold_s=600,
    keep_s=600,
    priority=Priority.MEDIUM,
    source="engineering practice: longer than a restart",
    fault=("system_down",),
    texts={
        "zh-TW": RuleTexts(
            name="監控或通訊系統停止運作",
            likely_causes=(
                "主機當機",
                "硬碟或電源故障",
                "網路中斷",
                "授權到期",
            ),
            what_to_check=(
                "主機電源與指示燈",
                "硬碟狀態與錄影時間",
                "網路交換器",
                "系統紀錄",
            ),
            safety="機櫃內作業先釋放靜電並確認電源。",
            suggestion="重新啟動主機；無法恢復時通知維護廠商並記錄中斷時段。",
        ),
        "en": RuleTexts(
            name="A supervised system does not work",
            likely_causes=(
                "The machine hangs",
                "Disk or power supply have failed",
                "The network is down",
                "A licence has ended",
            ),
            what_to_check=(
                "Power and lights of the machine",
                "Disks and recording times",
                "The network switch",
                "The system's log",
            ),
            safety="Discharge yourself and mind live parts in the cabinet.",
            suggestion="Restart it; if it does not come back, call its contractor and note the gap.",
        ),
    },
    cases=(
        Case(
            "stopped",
            {"status": "1x3 0x16"},
            (
                (2.0, Expect.NORMAL),
                (18.0, Expect.ACTIVE),
            ),
        ),
        Case(
            "works",
            {"status": "1x16"},
            ((15.0, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"status": "?x16"},
            ((15.0, Expect.NORMAL),),
        ),
    ),
)


def detect(frame: Frame, _p: Parameters) -> Verdict:
    """The system says that it does not work."""
    return Verdict(~frame["status"].on(), figures={"system_status": frame["status"]})
