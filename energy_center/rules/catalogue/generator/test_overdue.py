"""The emergency generator has not run for longer than its test interval.

An untested generator is none. Source: building practice of a weekly idle and a monthly load test; ten days
allow for one that was put off.
"""

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.rules.rule import Case, Expect, Input, Parameter, Parameters, Rule, RuleTexts, Verdict
from energy_center.rules.window import Frame

DAY_S = 86_400
LEAST_RISE_H = 0.05  # the counter's step

RULE = Rule(
    rule_id="generator-test-overdue",
    subject="generator",
    inputs=(Input("hours", Role.RUN_HOURS),),
    parameters=(Parameter("most_days", 10.0, "d", "building practice: weekly test, three days of grace"),),
    hold_s=3600,
    keep_s=3600,
    priority=Priority.MEDIUM,
    step_s=3600,
    lookback_s=871200,
    source="building practice: weekly generator test",
    fault=("test_skipped",),
    texts={
        "zh-TW": RuleTexts(
            name="緊急發電機逾期未測試",
            likely_causes=(
                "測試排程停用",
                "控制器在停止位置",
                "人員未執行",
                "訊號未更新",
            ),
            what_to_check=(
                "測試紀錄",
                "控制器模式與時程",
                "運轉時數",
            ),
            safety="試車前確認機房無人並通風。",
            suggestion="安排試車並記錄電壓、頻率與運轉時間，恢復自動測試時程。",
        ),
        "en": RuleTexts(
            name="Generator test is overdue",
            likely_causes=(
                "The test schedule is off",
                "The controller stands on stop",
                "Nobody did it",
                "The signal is not updated",
            ),
            what_to_check=(
                "The test record",
                "Mode and schedule of the controller",
                "Run hours",
            ),
            safety="Ventilate the room and make sure that nobody is near before a test.",
            suggestion="Test it, note voltage, frequency and run time, and put the schedule back.",
        ),
    },
    cases=(
        Case(
            "no run in eleven days",
            {"hours": "100x270"},
            (
                (14280, Expect.NORMAL),
                (15600, Expect.ACTIVE),
            ),
            step_s=3600,
        ),
        Case(
            "runs weekly",
            {"hours": "100x100 100.3x170"},
            ((16140, Expect.NORMAL),),
            step_s=3600,
        ),
        Case(
            "not read: cannot tell",
            {"hours": "?x270"},
            ((16140, Expect.NORMAL),),
            step_s=3600,
        ),
    ),
    classes=frozenset({"Emergency_Generator"}),
)


def detect(frame: Frame, p: Parameters) -> Verdict:
    """Run hours that have not risen since the limit."""
    risen = frame["hours"].rise(frame.steps(p["most_days"] * DAY_S))
    return Verdict(risen < LEAST_RISE_H, figures={"run_hours_h": frame["hours"]})
