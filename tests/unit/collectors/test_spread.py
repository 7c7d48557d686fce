from itertools import pairwise

import pytest

from collectors.spread import phases_of


def test_blocks_of_one_interval_lie_evenly_apart() -> None:
    phases = sorted(phases_of("bus", [(f"m{n}", 10.0) for n in range(20)]).values())
    assert [b - a for a, b in pairwise(phases)] == [pytest.approx(0.5)] * 19
    assert 0 <= phases[0] < phases[-1] < 10


def test_phases_stay_after_a_restart_and_do_not_depend_on_the_order() -> None:
    blocks = [(f"m{n}", 10.0 if n % 2 else 60.0) for n in range(9)]
    assert phases_of("bus", blocks) == phases_of("bus", blocks[::-1])


def test_busses_do_not_all_begin_together() -> None:
    starts = {round(phases_of(f"gateway-{n}", [("meter", 60.0)])["meter"]) for n in range(50)}
    assert len(starts) > 25
