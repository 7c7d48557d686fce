"""A fan is commanded on and does not run, or runs without a command.

Broken belt, tripped motor, or a switch left on manual: rooms and car parks get no air. Source: ASHRAE
Guideline 36-2021, fan alarms by command and proof.
"""

import numpy as np

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame, Signal

RULE = Rule(
    rule_id="fan-command-not-followed",
    subject="hvac",
    inputs=(
        Input("command", Role.FAN_COMMAND),
        Input("status", Role.FAN_STATUS),
    ),
    parameters=(),
    hold_s=300,
    keep_s=300,
    priority=Priority.HIGH,
    source="ASHRAE Guideline 36-2021: fan status against command, 5 min",
    fault=(
        "fan_belt_broken",
        "exhaust_failed",
    ),
    texts={
        "zh-TW": RuleTexts(
            name="風機未依命令運轉",
            likely_causes=(
                "皮帶斷裂或打滑",
                "馬達過載跳脫",
                "現場開關停在手動或停止",
                "電流開關設定過高",
            ),
            what_to_check=(
                "盤內過載電驛與斷路器",
                "皮帶與軸承",
                "手自動開關位置",
                "電流開關或差壓開關動作值",
            ),
            safety="檢修前停電上鎖，確認扇葉完全停止。",
            suggestion="更換皮帶或復歸馬達；若為手動運轉，恢復自動並記錄原因。",
        ),
        "en": RuleTexts(
            name="Fan does not follow its command",
            likely_causes=(
                "The belt is broken or slips",
                "The motor has tripped",
                "The local switch stands on manual or off",
                "The current switch is set too high",
            ),
            what_to_check=(
                "Overload relay and breaker in the panel",
                "Belt and bearings",
                "Position of the hand-auto switch",
                "Setting of the current or pressure switch",
            ),
            safety="Lock out the supply and wait until the blades stand still.",
            suggestion=(
                "Replace the belt or reset the motor; where it runs by hand, put it back to "
                "automatic and note why."
            ),
        ),
    },
    cases=(
        Case(
            "commanded, stands",
            {"command": "1x30", "status": "1x10 0x20"},
            (
                (9, Expect.NORMAL),
                (12, Expect.PENDING),
                (20, Expect.ACTIVE),
            ),
        ),
        Case(
            "follows",
            {"command": "0x10 1x20", "status": "0x11 1x19"},
            ((29, Expect.NORMAL),),
        ),
        Case(
            "runs without a command",
            {"command": "0x30", "status": "1x30"},
            ((29, Expect.ACTIVE),),
        ),
        Case(
            "status not read: cannot tell",
            {"command": "1x30", "status": "?x30"},
            ((29, Expect.NORMAL),),
        ),
        Case(
            "repaired",
            {"command": "1x40", "status": "0x20 1x20"},
            (
                (19, Expect.ACTIVE),
                (39, Expect.NORMAL),
            ),
        ),
    ),
)


def detect(frame: Frame, _p: Parameters) -> Verdict:
    """Command and proof differ."""
    differs = Signal(np.abs((frame["command"] - frame["status"]).values)) > 0.5  # noqa: PLR2004  half way
    return Verdict(differs, figures={"fan_command": frame["command"], "fan_status": frame["status"]})
