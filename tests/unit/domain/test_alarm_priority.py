"""The table of priorities: more harm or less time never makes an alarm less urgent."""

from itertools import pairwise, product

from energy_center.domain.alarm_performance import ACKNOWLEDGE_WITHIN
from energy_center.domain.alarm_priority import Consequence, Respond, priority_of
from energy_center.domain.alarms import Priority


def test_worse_or_sooner_is_never_less_urgent() -> None:
    for respond in Respond:
        ranks = [priority_of(c, respond).rank for c in Consequence]
        assert ranks == sorted(ranks)
    for consequence in Consequence:
        ranks = [priority_of(consequence, r).rank for r in Respond]
        assert all(a <= b for a, b in pairwise(ranks))


def test_harm_within_ten_minutes_is_critical_and_waste_never_is() -> None:
    assert priority_of(Consequence.HARM, Respond.NOW) is Priority.CRITICAL
    assert all(priority_of(Consequence.WASTE, r) is not Priority.CRITICAL for r in Respond)


def test_every_priority_is_in_the_table_and_has_a_time() -> None:
    used = {priority_of(c, r) for c, r in product(Consequence, Respond)}
    assert used == set(Priority) == set(ACKNOWLEDGE_WITHIN)
