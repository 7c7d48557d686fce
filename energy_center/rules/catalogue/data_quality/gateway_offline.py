"""No device behind a connection answers: the gateway, the broker or the line to it is the cause.

One alarm instead of one a device (ANSI/ISA-18.2-2016, 12.4.2, suppression by design). Source: engineering
practice.
"""

from energy_center.domain.alarms import Priority
from energy_center.rules.rule import Case, Expect, Input, Parameters, Path, Rule, RuleTexts, Verdict, Where
from energy_center.rules.window import Frame, all_on

RULE = Rule(
    rule_id="dq-gateway-offline",
    subject="data_quality",
    inputs=(Input("devices", where=Where.DEVICES, many=True),),
    parameters=(),
    hold_s=180,
    keep_s=120,
    priority=Priority.HIGH,
    step_s=30,
    source="engineering practice: all devices of a connection silent for 3 min",
    fault=("gateway_offline",),
    hides=frozenset({Path.DATA}),
    texts={
        "zh-TW": RuleTexts(
            name="通訊閘道離線，其下設備全部無回應",
            likely_causes=("閘道或交換器斷電", "網路中斷", "訊息代理程式停止", "防火牆規則變更"),
            what_to_check=(
                "閘道電源與網路燈號",
                "由主機 ping 閘道",
                "交換器埠與 VLAN",
                "證據中列出的設備清單",
            ),
            safety="弱電盤作業前確認無市電迴路裸露。",
            suggestion="先恢復閘道；其下設備的警報已合併於此。",
        ),
        "en": RuleTexts(
            name="Gateway is silent, and every device behind it",
            likely_causes=(
                "Gateway or switch without power",
                "The network is interrupted",
                "The message broker has stopped",
                "A firewall rule was changed",
            ),
            what_to_check=(
                "Supply and network lamps of the gateway",
                "Can the server reach it?",
                "Switch port and VLAN",
                "The devices listed in the evidence",
            ),
            safety="Make sure no mains circuit is exposed before working in the panel.",
            suggestion="Bring the gateway back first; the alarms of its devices are gathered here.",
        ),
    },
    cases=(
        Case(
            "all silent for 5 min",
            {"devices[0]": "1x4 0x20", "devices[1]": "1x6 0x18"},
            ((2, Expect.NORMAL), (4, Expect.PENDING), (7, Expect.ACTIVE)),
            step_s=30,
        ),
        Case(
            "one still answers",
            {"devices[0]": "0x24", "devices[1]": "1x24"},
            ((11, Expect.NORMAL),),
            step_s=30,
        ),
        Case(
            "one is back: ends after the keep time",
            {"devices[0]": "0x20 1x10", "devices[1]": "0x30"},
            ((9, Expect.ACTIVE), (11, Expect.ACTIVE), (13, Expect.NORMAL)),
            step_s=30,
        ),
    ),
)


def detect(frame: Frame, p: Parameters) -> Verdict:  # noqa: ARG001 the same shape for every rule
    """Every device behind the connection is away."""
    return Verdict(all_on([~device.on() for device in frame.all("devices")]))
