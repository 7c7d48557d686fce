"""A virtual meter's energy is the expression of the energies; all else is refused in words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.analysis.balance import balance
from energy_center.analysis.intervals import Energies, Method
from energy_center.analysis.virtual_meters import BadExpression, parse_virtual_meter

METERS = ("ltb-main", "ltb-floor-1", "ltb-floor-2", "ltb-floor-10", "pv", "2f")
EDGES = 900.0 * np.arange(4)


def _energies(*amounts: float, coverage: float = 1.0, method: Method = Method.REGISTER) -> Energies:
    return Energies(EDGES, np.array(amounts, float), np.full(3, coverage), method)


@pytest.mark.parametrize(
    ("expression", "factors"),
    [
        (
            "ltb-main - sum(ltb-floor-*)",
            {"ltb-main": 1, "ltb-floor-1": -1, "ltb-floor-2": -1, "ltb-floor-10": -1},
        ),
        ("ltb-main - pv", {"ltb-main": 1, "pv": -1}),
        ("0.4 * ltb-main", {"ltb-main": 0.4}),
        ("(ltb-main + pv) / 2", {"ltb-main": 0.5, "pv": 0.5}),
        ("-(pv - ltb-main)", {"pv": -1, "ltb-main": 1}),
        ("ltb-main - (pv - 2 * 3 * pv)", {"ltb-main": 1, "pv": 5}),
        ("sum(ltb-floor-?)", {"ltb-floor-1": 1, "ltb-floor-2": 1}),
        ("ltb-main - pv + pv", {"ltb-main": 1}),
        ("2f + ltb-main", {"2f": 1, "ltb-main": 1}),
        ("rest + pv", {"ltb-main": 1}),
    ],
)
def test_sums_differences_multiples_and_patterns(expression: str, factors: dict[str, float]):
    found = parse_virtual_meter(expression, METERS, {"rest": "ltb-main - pv"})
    assert found.factors == factors


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("ltb-mian", "no meter 'ltb-mian'; there are 2f, loop"),
        ("sum(wing-*)", "no meter matches 'wing-*'"),
        ("ltb-floor-*", "expected sum(ltb-floor-*)"),
        ("ltb-main * pv", "a meter times a meter"),
        ("1 / pv", "division by a meter"),
        ("pv / 0", "division by zero"),
        ("pv + 5", "a number stands alone"),
        ("pv +", "it ends too early"),
        ("(pv", "a bracket is not closed"),
        ("pv pv", "'pv' after the end"),
        ("pv; import os", "';' is not allowed"),
        ("pv - pv", "no meter is left"),
        ("", "it ends too early"),
        ("loop", "'loop' contains itself"),
        ("(" * 50 + "pv" + ")" * 50, "more than 20 brackets"),
        ("sum(", "sum( needs a meter"),
    ],
)
def test_everything_else_is_refused_in_words(expression: str, says: str):
    with pytest.raises(BadExpression) as problem:
        parse_virtual_meter(expression, METERS, {"loop": "pv + loop2", "loop2": "loop - pv"})
    assert says in str(problem.value)


def test_coverage_and_the_poorest_method_are_carried_through():
    meter = parse_virtual_meter("ltb-main - pv", METERS)
    found = meter.evaluate(
        {
            "ltb-main": _energies(10, 20, 30, coverage=0.9),
            "pv": _energies(1, np.nan, 3, coverage=0.5, method=Method.POWER),
        }
    )
    assert found.amount[[0, 2]].tolist() == [9, 27]
    assert np.isnan(found.amount[1])
    assert found.coverage.tolist() == [0.5] * 3
    assert found.method is Method.POWER


def test_different_intervals_are_refused():
    other = Energies(EDGES + 1, np.ones(3), np.ones(3), Method.REGISTER)
    with pytest.raises(ValueError, match="differ"):
        parse_virtual_meter("pv + ltb-main", METERS).evaluate({"pv": _energies(1, 1, 1), "ltb-main": other})


@given(
    st.lists(st.sampled_from(METERS), min_size=1, max_size=6),
    st.lists(st.floats(-3, 3).map(lambda x: round(x, 2)), min_size=6, max_size=6),
    st.lists(st.floats(0, 1e5), min_size=18, max_size=18),
)
@settings(max_examples=60)
def test_the_energy_of_the_expression_is_the_expression_of_the_energies(meters, factors, amounts):
    text = " + ".join(
        f"({f}) * {m}" if f >= 0 else f"(-{-f}) * {m}" for m, f in zip(meters, factors, strict=False)
    )
    energies = {m: _energies(*amounts[3 * i : 3 * i + 3]) for i, m in enumerate(METERS)}
    expected = sum(f * energies[m].amount for m, f in zip(meters, factors, strict=False))
    total = sum(f * energies[m].amount.sum() for m, f in zip(meters, factors, strict=False))
    try:
        found = parse_virtual_meter(text, METERS).evaluate(energies)
    except BadExpression:
        assert np.allclose(expected, 0.0, atol=1e-6)
        return
    assert np.allclose(found.amount, expected, atol=1e-6)
    assert found.amount.sum() == pytest.approx(total, abs=1e-5)  # month = sum of its intervals


def test_the_residual_is_what_no_sub_meter_sees():
    found = balance(_energies(100, 100, 100), [_energies(40, 60, np.nan), _energies(50, 50, 50)])
    assert found.residual[:2].tolist() == [10, -10]
    assert np.isnan(found.residual[2])
    assert found.cannot_be.tolist() == [False, True, False]
    assert found.residual_share == pytest.approx(0.0)


def test_a_deficit_within_the_meters_errors_is_possible():
    found = balance(_energies(100, 100, 100), [_energies(100.5, 101.9, 102.1)])
    assert found.cannot_be.tolist() == [False, False, True]  # class 1 of both: 1 % of 100 and of about 102


def test_a_balance_needs_parts():
    with pytest.raises(ValueError, match="at least one part"):
        balance(_energies(1, 1, 1), [])
