"""Every rule of the catalogue, by being there: cases, texts in both languages, sources, units."""

import re
from itertools import chain

import pytest

from energy_center.errors import NotFound
from energy_center.rules.cases import mismatches
from energy_center.rules.find_rules import find_rule, rules
from energy_center.rules.rule import CatalogueEntry, Expect, Where

# a half-width mark beside a Chinese character, as a keyboard left in the other mode makes it
HALF_WIDTH = re.compile("[\u4e00-\u9fff][,;:!?]|[,;:!?][\u4e00-\u9fff]")
ENTRIES = list(rules().values())
by_id = pytest.mark.parametrize("entry", ENTRIES, ids=[e.rule.rule_id for e in ENTRIES])


@by_id
def test_cases_lead_to_the_expected_states(entry: CatalogueEntry) -> None:
    assert mismatches(entry) == []


@by_id
def test_cases_hold_a_fault_and_a_healthy_run(entry: CatalogueEntry) -> None:
    ends = {case.name: {state for _, state in case.expect} for case in entry.rule.cases}
    assert any(Expect.ACTIVE in states for states in ends.values())
    assert any(states == {Expect.NORMAL} for states in ends.values())


@by_id
def test_texts_stand_in_both_languages(entry: CatalogueEntry) -> None:
    texts = entry.rule.texts
    assert set(texts) == {"zh-TW", "en"}
    for words in texts.values():
        assert all((words.name, words.safety, words.suggestion))
        assert all((words.likely_causes, words.what_to_check))
    assert any("\u4e00" <= c <= "\u9fff" for c in texts["zh-TW"].name)
    assert texts["en"].name.isascii()


@by_id
def test_chinese_texts_have_full_width_punctuation(entry: CatalogueEntry) -> None:
    texts = entry.rule.texts["zh-TW"]
    words = chain((texts.name, texts.safety, texts.suggestion), texts.likely_causes, texts.what_to_check)
    assert [w for w in words if HALF_WIDTH.search(w)] == []


@by_id
def test_source_fault_and_units_are_given(entry: CatalogueEntry) -> None:
    rule = entry.rule
    assert all((rule.source, rule.fault))
    for parameter in rule.parameters:
        assert all((parameter.unit, parameter.source))
        assert parameter.default is not None or parameter.attribute


@by_id
def test_gathering_inputs_and_roles_are_consistent(entry: CatalogueEntry) -> None:
    for wanted in entry.rule.inputs:
        by_device = wanted.where in {Where.DEVICE, Where.DEVICES, Where.SIBLINGS}
        assert (wanted.role is None) == by_device
        assert wanted.name.isidentifier()


def test_an_unknown_rule_is_refused_with_the_known_names() -> None:
    with pytest.raises(NotFound, match="sump-high-pump-off"):
        find_rule("no-such-rule")
