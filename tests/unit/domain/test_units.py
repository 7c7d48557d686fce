import pytest

from energy_center.domain.quantities import QUANTITIES
from energy_center.domain.units import UnitMismatch, conversion, ucum


@pytest.mark.parametrize(
    ("number", "unit", "wanted", "expected"),
    [
        (1500.0, "W", "kW", 1.5),
        (12.0, "MWh", "kW.h", 12_000.0),
        (250.0, "Wh", "kW.h", 0.25),
        (2000.0, "L", "m3", 2.0),
        (10.0, "L/s", "m3/h", 36.0),
        (212.0, "degF", "Cel", 100.0),
        (-40.0, "[degF]", "Cel", -40.0),
        (300.0, "K", "Cel", 26.85),
        (1.5, "bar", "kPa", 150.0),
        (1.0, "[psi]", "kPa", 6.894757),  # NIST SP 811, table B.8
        (1013.25, "mbar", "hPa", 1013.25),
        (100.0, "cfm", "m3/h", 169.901),  # 1 cfm = 1.69901 m3/h
        (97.0, "%", "1", 0.97),
        (60.0, "Hz", "/min", 3600.0),
        (7200.0, "s", "h", 2.0),
    ],
)
def test_conversion_of_published_pairs(number: float, unit: str, wanted: str, expected: float) -> None:
    assert conversion(unit, wanted)(number) == pytest.approx(expected, rel=1e-5)


def test_real_and_reactive_power_do_not_convert() -> None:
    with pytest.raises(UnitMismatch, match="reactive"):
        conversion("kvar", "kW")


def test_every_role_has_a_unit_that_is_known() -> None:
    for quantity in QUANTITIES.values():
        assert ucum(quantity.unit) == quantity.unit
