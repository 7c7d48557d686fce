"""Savings that overlap: one equipment-hour is claimed once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energy_center.domain.site import Text
from energy_center.suggestions.appraise import appraise
from energy_center.suggestions.find_measures import find_measure
from energy_center.suggestions.measure import Confidence, Draft, Entry
from energy_center.suggestions.money import Pricer
from energy_center.suggestions.overlap import join_claims, uppermost
from tests.unit.suggestions.build import by_hour, flat, history

PARENTS = {"a": "main", "b": "main", "c": "a"}
USED = {"main": 12.0, "a": 6.0, "b": 5.0, "c": 2.0}
SLOTS = 3
_KWH = st.lists(st.floats(0.0, 20.0), min_size=SLOTS, max_size=SLOTS).map(np.array)
_CLAIM = st.dictionaries(st.sampled_from(sorted(USED)), _KWH, max_size=4)
_CLAIMS = st.lists(_CLAIM, max_size=5)


def used() -> dict[str, np.ndarray]:
    return {meter: np.full(SLOTS, kwh) for meter, kwh in USED.items()}


def within(claim: dict[str, np.ndarray]) -> float:
    return float(sum(np.sum(np.minimum(kwh, USED[meter])) for meter, kwh in claim.items()))


def test_of_two_claims_on_one_meter_the_larger_counts() -> None:
    joined = join_claims(
        [{"c": np.array([1.0, 2.0, 0.0])}, {"c": np.array([2.0, 1.0, 0.0])}], used(), PARENTS
    )
    assert joined.total_kwh == 4.0
    assert joined.counted == (2.0, 2.0)


def test_a_claim_on_the_main_meter_holds_against_those_behind_it() -> None:
    # 3 kWh at the main meter against 1 + 1 behind it: the three; in the second slot the two are more
    claims = [
        {"main": np.array([3.0, 1.0, 0.0])},
        {"a": np.array([1.0, 1.0, 0.0])},
        {"b": np.array([1.0, 1.0, 0.0])},
    ]
    joined = join_claims(claims, used(), PARENTS)
    assert joined.total_kwh == 5.0
    assert joined.counted == (3.0, 1.0, 1.0)


@given(_CLAIMS)
def test_no_more_is_saved_than_was_used(claims: list[dict[str, np.ndarray]]) -> None:
    joined = join_claims(claims, used(), PARENTS)
    assert joined.total_kwh <= SLOTS * USED["main"] + 1e-9
    assert sum(joined.counted) == pytest.approx(joined.total_kwh)


@given(_CLAIMS, _CLAIM)
def test_one_more_claim_never_adds_more_than_itself_nor_takes_away(
    claims: list[dict[str, np.ndarray]], more: dict[str, np.ndarray]
) -> None:
    before = join_claims(claims, used(), PARENTS).total_kwh
    after = join_claims([*claims, more], used(), PARENTS).total_kwh
    assert before - 1e-9 <= after <= before + within(more) + 1e-9
    assert after <= sum(within(c) for c in [*claims, more]) + 1e-9


@given(_CLAIMS, st.randoms(use_true_random=False))
def test_the_order_of_claims_does_not_matter(claims: list[dict[str, np.ndarray]], random: object) -> None:
    mixed = list(claims)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert join_claims(mixed, used(), PARENTS).total_kwh == pytest.approx(
        join_claims(claims, used(), PARENTS).total_kwh
    )


def test_unknown_use_cannot_be_saved() -> None:
    lacking = used() | {"main": np.array([np.nan, 12.0, 12.0])}
    assert join_claims([{"main": np.full(SLOTS, 2.0)}], lacking, PARENTS).total_kwh == 4.0


def test_peak_energy_is_worth_the_peak_price() -> None:
    held = history({"x": flat(100.0)})
    assert held.billing is not None
    # 10 kW less from 16 to 22 o'clock on 23 days: 1,380 kWh x 9.39, less 1.5 % for the power factor
    less = by_hour({(16, 22): 10.0}) / 4.0
    assert Pricer(held, held.billing).saved_ntd(less) == pytest.approx(1380 * 9.39 * 0.985, abs=2.0)


def test_a_lower_peak_saves_the_surcharge_only_where_the_month_has_its_maximum() -> None:
    # 600 kW against 500 once in the peak: 50 kW at twice, 50 kW at three times 223.60
    peak = flat(100.0)
    peak[np.flatnonzero(by_hour({(16, 16.25): 1.0}))[0]] = 600.0
    held = history({"x": peak})
    assert held.billing is not None
    less = np.where(peak > 500.0, (peak - 500.0) / 4.0, 0.0)
    energy = 25.0 * 9.39 * 0.985
    assert Pricer(held, held.billing).saved_ntd(less) == pytest.approx(
        50 * 2 * 223.60 + 50 * 3 * 223.60 + energy, abs=10.0
    )


def _entry(kwh: float, meter: str = "x") -> Entry:
    measure = find_measure("lights-sweep").measure
    claim = {meter: by_hour({(16, 22): kwh})}
    draft = Draft("b", 1.0, Confidence.HIGH, Text("因", "why"), saved=claim)
    return Entry(measure, lambda _held, _p: (draft,))


def test_the_total_of_overlapping_suggestions_is_the_larger_one() -> None:
    held = history({"x": flat(100.0)})
    alone = appraise(held, [_entry(10.0)]).together
    both = appraise(held, [_entry(5.0), _entry(10.0)])
    assert both.together.energy_kwh == pytest.approx(alone.energy_kwh)
    assert both.together.money_ntd == pytest.approx(alone.money_ntd, abs=0.01)
    assert both.together.sum_kwh == pytest.approx(1.5 * alone.energy_kwh)
    assert [round(a.counted_kwh) for a in both.found] == [round(alone.energy_kwh), 0]


def test_a_suggestion_counts_what_is_behind_another_of_its_meters_once() -> None:
    held = history({"x": flat(100.0)})
    claim = {"main": by_hour({(16, 22): 10.0}), "x": by_hour({(16, 22): 6.0})}
    draft = Draft("b", 1.0, Confidence.HIGH, Text("因", "why"), saved=claim)
    entry = Entry(find_measure("lights-sweep").measure, lambda _held, _p: (draft,))
    (found,) = appraise(held, [entry]).found
    assert found.energy_kwh == pytest.approx(5520.0)  # 10 kWh x 24 x 23 days, not 16
    assert found.bars is not None
    assert found.bars.before[18] == 100.0
    assert uppermost(claim, held.parents) == ["main"]


def test_carbon_is_energy_times_the_factor_of_the_year() -> None:
    (found,) = appraise(history({"x": flat(100.0)}), [_entry(10.0)]).found
    # 10 kWh a quarter-hour x 24 x 23 days; 2026 has no factor of its own yet, that of 2024 stands in
    assert found.energy_kwh == pytest.approx(5520.0)
    assert found.carbon_kg == pytest.approx(5520.0 * 0.474)


def test_what_is_not_worth_a_morning_is_left_out() -> None:
    assert appraise(history({"x": flat(100.0)}), [_entry(0.01)]).found == ()
