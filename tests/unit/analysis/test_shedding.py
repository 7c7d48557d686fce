"""What must go for a block to keep its limit: reckoned by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.analysis.demand import BlockForecast
from energy_center.analysis.shedding import SheddableLoad, choose_loads, rank_loads, relief

FOUNTAIN, CAR_PARK, AIR, LIFT = (
    SheddableLoad("fountain", 8.0, 0.0),
    SheddableLoad("car-park-fans", 20.0, 1.0),
    SheddableLoad("air-handler", 30.0, 4.0),
    SheddableLoad("lift", 15.0, 9.0),
)


def _surely(kw: float, rest_s: float) -> BlockForecast:
    return BlockForecast(500.0, 1.0, kw, 0.0, rest_s)


def test_the_later_it_is_the_more_must_go():
    early, late = relief(_surely(520.0, 900.0), 500.0), relief(_surely(520.0, 300.0), 500.0)
    assert early is not None
    assert late is not None
    assert (early.needed_kw, late.needed_kw) == (
        pytest.approx(20.0),
        pytest.approx(60.0),
    )  # 20 kW x 15 min / 5 min
    assert early.expected_kw == pytest.approx(20.0)


def test_a_block_that_keeps_its_limit_needs_no_relief():
    assert relief(_surely(480.0, 600.0), 500.0) is None


def test_uncertainty_asks_for_relief_before_it_is_sure_to_be_needed():
    unsure = BlockForecast(480.0, 1.0, 490.0, 20.0, 600.0)
    needed = relief(unsure, 500.0)
    assert needed is not None
    assert needed.expected_kw == pytest.approx(-10.0)
    assert needed.needed_kw > 0


def test_there_is_time_until_the_load_just_suffices():
    needed = relief(_surely(520.0, 600.0), 500.0)  # 30 kW for 10 min: 5 kWh
    assert needed is not None
    assert needed.latest_s(60.0) == pytest.approx(300.0)  # 60 kW for 5 min: 5 kWh
    assert needed.latest_s(30.0) == pytest.approx(0.0)
    assert needed.latest_s(29.0) is None
    assert needed.latest_s(0.0) is None


def test_the_least_comfort_goes_first_and_nothing_needless():
    ranked = rank_loads([LIFT, AIR, FOUNTAIN, CAR_PARK, SheddableLoad("off", 0.0, 0.0)])
    assert [x.name for x in ranked] == ["fountain", "car-park-fans", "air-handler", "lift"]
    assert choose_loads(ranked, 25.0) == ((FOUNTAIN, CAR_PARK), True)
    chosen, enough = choose_loads(ranked, 45.0)
    assert (set(chosen), enough) == ({CAR_PARK, AIR}, True)  # the fountain is not needed beside them
    assert choose_loads(ranked, 100.0)[1] is False


loads = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10)), max_size=8).map(
    lambda found: [SheddableLoad(f"load-{i}", kw, cost) for i, (kw, cost) in enumerate(found)]
)


@given(loads, st.floats(0.1, 400))
@settings(max_examples=60)
def test_enough_is_enough_and_no_chosen_load_is_needless(found, needed):
    chosen, enough = choose_loads(rank_loads(found), needed)
    saved = sum(x.shed_kw for x in chosen)
    assert enough == (saved >= needed)
    if enough:
        assert all(saved - x.shed_kw < needed + 1e-9 for x in chosen)
    else:
        assert saved == pytest.approx(sum(x.shed_kw for x in found))
