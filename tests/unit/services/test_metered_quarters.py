"""What is said of quarter-hours that a bill's peak may hide in."""

import numpy as np
import pytest

from energy_center.services.metered_quarters import quarters_without_demand
from energy_center.tariffs.measure import measured


@pytest.mark.parametrize(
    ("coverage", "missing"), [([1.0, 1.0, 1.0], 0), ([1.0, 0.98, 1.0], 1), ([0.5, 0.0, 0.99], 2)]
)
def test_a_quarter_hour_under_99_percent_has_no_demand(coverage: list[float], missing: int):
    found = measured(np.array([0, 900, 1800]), [10.0, 10.0, 10.0], coverage)
    assert quarters_without_demand(found) == missing
