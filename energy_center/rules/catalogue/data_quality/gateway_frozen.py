"""Every value behind a gateway stands still: it answers, but from an old copy.

Worse than silence, because everything looks well. Source: engineering practice; the powers of several
feeders never all stand still to the last digit for half an hour.
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
    Path,
    Rule,
    RuleTexts,
    Verdict,
    Where,
)
from energy_center.rules.window import Frame, Signal, all_on

RULE = Rule(
    rule_id="dq-gateway-frozen",
    subject="data_quality",
    inputs=(Input("powers", Role.ACTIVE_POWER, Where.CONNECTION, many=True),),
    parameters=(
        Parameter("window_min", 30.0, "min", "engineering practice"),
        Parameter("fewest", 3.0, "1", "engineering practice: feeders that carry load"),
        Parameter("idle_kw", 0.1, "kW", "engineering practice: what is off rightly stands still"),
        Parameter("most_kw", 0.0005, "kW", "engineering practice: less than the meters' last digit"),
    ),
    hold_s=600,
    keep_s=300,
    priority=Priority.HIGH,
    lookback_s=1860,
    source="engineering practice: several feeders unchanged for 30 min",
    fault=("frozen_gateway",),
    hides=frozenset({Path.DATA}),
    texts={
        "zh-TW": RuleTexts(
            name="通訊閘道資料凍結",
            likely_causes=("閘道程式當機但仍回應", "下層匯流排斷線而閘道回傳舊值", "快取未更新"),
            what_to_check=("直接讀取其中一台電表面板比對", "閘道下層匯流排燈號", "閘道韌體與看門狗設定"),
            safety="重啟閘道前確認其不負責任何控制輸出。",
            suggestion="重啟閘道，並要求廠商於下層斷線時回覆錯誤碼而非舊值。",
        ),
        "en": RuleTexts(
            name="Gateway gives frozen values",
            likely_causes=(
                "The gateway's program hangs but still answers",
                "Its lower bus is broken and it repeats old values",
                "Its cache is not renewed",
            ),
            what_to_check=(
                "Compare with the display of one meter behind it",
                "Lamps of the gateway's lower bus",
                "Firmware and watchdog settings",
            ),
            safety="Before restarting it make sure that it drives no outputs.",
            suggestion="Restart it; ask the maker for an error instead of an old value when the bus is down.",
        ),
    },
    cases=(
        Case(
            "all stand still",
            {
                "powers[0]": "5..9x20 9x60",
                "powers[1]": "2..1x20 1x60",
                "powers[2]": "7..8x20 8x60",
            },
            ((30, Expect.NORMAL), (52, Expect.PENDING), (70, Expect.ACTIVE)),
        ),
        Case(
            "one still moves",
            {"powers[0]": "9x80", "powers[1]": "1x80", "powers[2]": "7..8x80"},
            ((79, Expect.NORMAL),),
        ),
        Case(
            "all switched off",
            {"powers[0]": "0x80", "powers[1]": "0x80", "powers[2]": "0x80"},
            ((79, Expect.NORMAL),),
        ),
        Case(
            "not read: cannot tell",
            {"powers[0]": "9x80", "powers[1]": "1x80", "powers[2]": "?x80"},
            ((79, Expect.NORMAL),),
        ),
    ),
    also=("unit_mismatch",),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """No power behind the connection has moved within the window, though enough of it is switched on."""
    steps, powers = frame.steps(p["window_min"] * 60), frame.all("powers")
    still = [signal.span(steps, covered=0.9) < p["most_kw"] for signal in powers]
    loaded = sum((np.abs(signal.values) > p["idle_kw"]) * 1.0 for signal in powers)
    enough = Signal(np.asarray(loaded)) > p["fewest"] - 0.5
    return Verdict(all_on(still) & enough)
