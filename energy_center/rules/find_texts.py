"""What people read about an alarm, whether a rule of the catalogue raised it or collection itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from energy_center.domain.site import Text
from energy_center.rules import blind_alarm
from energy_center.rules.collection_alarms import COLLECTION_ALARMS, SOURCE
from energy_center.rules.find_rules import rules
from energy_center.rules.rule import RuleTexts


@dataclass(frozen=True, slots=True)
class AlarmTexts:
    """Name, texts by language and source; empty where the rule is gone from the catalogue."""

    name: Text
    texts: Mapping[str, RuleTexts]
    source: str


def find_texts(rule_id: str) -> AlarmTexts:
    """The texts of an alarm's rule; its name is the id when nobody knows it any more."""
    entry = rules().get(rule_id)
    if entry is not None:
        return AlarmTexts(entry.rule.name(), entry.rule.texts, entry.rule.source)
    if rule_id == blind_alarm.RULE_ID:
        return AlarmTexts(blind_alarm.name(), blind_alarm.TEXTS, blind_alarm.SOURCE)
    return _of_collection().get(rule_id) or AlarmTexts(Text(rule_id, rule_id), {}, "")


@cache
def _of_collection() -> Mapping[str, AlarmTexts]:
    return {a.rule_id: AlarmTexts(a.name(), a.texts, SOURCE) for a in COLLECTION_ALARMS.values()}
