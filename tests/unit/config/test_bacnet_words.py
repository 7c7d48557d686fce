"""The standard's words in profiles, against the library's own lists of them."""

import pytest
from bacpypes3.basetypes import EventState, Reliability, StatusFlags
from pydantic import ValidationError

from energy_center.config.bacnet_words import FLAG_BITS, WORDS
from energy_center.config.profile_model import BacnetPoint
from energy_center.domain.quantities import Role


@pytest.mark.parametrize(("name", "theirs"), [("event-state", EventState), ("reliability", Reliability)])
def test_words_are_the_standards(name: str, theirs: type) -> None:
    assert {word: int(theirs(word)) for word in WORDS[name]} == WORDS[name]


def test_flags_are_in_the_standards_order() -> None:
    assert StatusFlags._bitstring_names == FLAG_BITS


def _point(**named: object) -> BacnetPoint:
    return BacnetPoint.model_validate({"role": Role.FAULT, "object": "analog-input,1", **named})


def test_words_become_the_standards_numbers() -> None:
    point = _point(property="event-state", enum={"normal": 0, "high-limit": 1, 4: 1})
    assert point.states_by_number() == {0: 0.0, 3: 1.0, 4: 1.0}


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"property": "event-state", "enum": {"broken": 1}}, "enum of event-state has 'broken'; allowed"),
        ({"enum": {"normal": 0}}, "enum of present-value has 'normal'; allowed are numbers"),
        ({"property": "in-alarm", "cov": True}, "cov tells the present value; in-alarm is read"),
    ],
)
def test_mistake_is_said(named: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        _point(**named)
