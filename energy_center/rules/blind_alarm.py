"""The finding that a rule cannot tell: about the answers of other rules, so no catalogue rule itself."""

from collections.abc import Mapping

from energy_center.domain.alarm_priority import Consequence, Respond, priority_of
from energy_center.domain.site import Text
from energy_center.rules.rule import RuleTexts

RULE_ID = "dq-rule-blind"
PRIORITY = priority_of(Consequence.WASTE, Respond.NEXT_VISIT)
SOURCE = "engineering practice: unknown for over 20 % of seven days in which the rule applied for over a day"

TEXTS: Mapping[str, RuleTexts] = {
    "zh-TW": RuleTexts(
        name="規則缺少資料，長時間無法判斷",
        likely_causes=(
            "感測器或設備離線",
            "點位未接線或位址錯誤",
            "讀值被標示為不可用",
            "取樣間隔比規則所需慢",
        ),
        what_to_check=("證據中列出的輸入點位", "該點位最近讀值的時間與品質", "設備頁的通訊狀態"),
        safety="",
        suggestion="恢復最常缺少的輸入；在此之前這台設備的故障不會被發現。",
    ),
    "en": RuleTexts(
        name="A rule lacks data and cannot tell",
        likely_causes=(
            "A sensor or device is offline",
            "The point is not wired, or its address is wrong",
            "Its readings are marked as unusable",
            "It is read less often than the rule needs",
        ),
        what_to_check=(
            "The input named in the evidence",
            "Time and quality of its newest reading",
            "Communication on the page of devices",
        ),
        safety="",
        suggestion="Bring back the input that is missing most; until then faults there stay unseen.",
    ),
}


def name() -> Text:
    """Its name in both languages."""
    return Text(zh_tw=TEXTS["zh-TW"].name, en=TEXTS["en"].name)
