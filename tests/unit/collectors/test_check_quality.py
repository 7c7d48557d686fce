from collectors.check_quality import RangeCheck
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from tests.unit.collectors.builders import register, sample


def test_implausible_value_is_flagged_and_kept() -> None:
    check = RangeCheck([register(0, role=Role.FREQUENCY), register(2, role=Role.FREQUENCY)])
    flagged = check.flag(sample(59.9, 99.0))  # plausible is at most 65 Hz
    assert flagged.values.tolist() == [59.9, 99.0]
    assert flagged.quality.tolist() == [Quality.GOOD, Quality.OUT_OF_RANGE]


def test_missing_value_is_not_flagged() -> None:
    assert RangeCheck([register(0)]).flag(sample(float("nan"))).quality.tolist() == [0]
