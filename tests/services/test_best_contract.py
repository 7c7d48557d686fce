"""200 random years: the chosen contract is the cheapest of all whole kW of two kinds of contract."""

import pytest

from tests.unit.tariffs.every_contract import TARIFFS, check_against_every_contract


@TARIFFS
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_the_best_contract_of_ten_random_years_is_that_of_trying_every_one(stages: int, first: int):
    for seed in range(first, first + 10):
        check_against_every_contract(stages, seed)
