"""The plan of the scored run: what it refuses to inject."""

from datetime import UTC, datetime, timedelta
from itertools import product

from energy_center.cli.detection_kinds import KINDS
from energy_center.cli.detection_plan import draw

START = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = frozenset({"tank_level_stuck", "tank_leak"})
TEN_HOURS = timedelta(hours=10)


def ten_hours(_name: str, _place: str, start: datetime, end: datetime) -> bool:
    return end - start >= TEN_HOURS


def test_a_leak_has_hours_in_which_the_level_does_not_hang() -> None:
    drawn = draw(7, (START, START + timedelta(days=70)), (8, 0), NAMES, ten_hours)
    leaks = [i for i in drawn.injections if i.name == "tank_leak"]
    stuck = [i for i in drawn.injections if i.name == "tank_level_stuck"]
    assert len(leaks) == len(stuck) == 8
    assert any(one.start < two.end and two.start < one.end for one, two in product(leaks, stuck))
    for leak in leaks:
        hidden = [(max(s.start, leak.start), min(s.end, leak.end)) for s in stuck]
        covered = sum(((end - start) for start, end in hidden if start < end), timedelta())
        assert leak.end - leak.start - covered >= TEN_HOURS
    assert drawn.refused["tank_leak"] > 0


def test_hiding_faults_are_drawn_before_those_they_hide() -> None:
    names = list(KINDS)
    for name, kind in KINDS.items():
        assert all(names.index(other) < names.index(name) for other in kind.hidden_by)
