"""Wasted energy in money by the bands of the hours concerned, and in carbon."""

from datetime import UTC, datetime, timedelta

import pytest

from energy_center.domain.site import Site, Space, SpaceKind, Text
from energy_center.rules.rule import Waste
from energy_center.services.reckon_saving import reckon

WORDS = Text("市政大樓", "City hall")


def site(tariff: str | None = "taipower-hv-tou3", factor: float = 1.0) -> Site:
    attributes = {"industry_factor": factor} | ({"tariff": tariff} if tariff else {})
    spaces = (
        Space("city", None, SpaceKind.SITE, WORDS),
        Space("ltb", "city", SpaceKind.BUILDING, WORDS, attributes),
    )
    return Site("city", WORDS, "Asia/Taipei", spaces, ())


def taipei(hour: int, minute: int = 0) -> datetime:
    """Wednesday 1 July 2026, a summer working day."""
    return datetime(2026, 7, 1, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@pytest.mark.parametrize(
    ("start", "end", "factor", "money_ntd"),
    [
        (taipei(18), taipei(20), 1.0, 1126.80),  # 120 kWh x 9.39 peak
        (taipei(15), taipei(17), 1.0, 914.40),  # 60 x 5.85 half-peak + 60 x 9.39 peak
        (taipei(18), taipei(20), 1.017, 1145.96),  # 1126.80 x 1.017 = 1145.9556
        (taipei(17, 7), taipei(17, 22), 1.0, 1126.80),  # across a quarter-hour, all peak
    ],
)
def test_energy_is_priced_by_the_hours_it_was_wasted_in(
    start: datetime, end: datetime, factor: float, money_ntd: float
) -> None:
    saving = reckon(Waste(energy_kwh=120.0), site(factor=factor), "ltb", start, end)
    assert saving.money_ntd == pytest.approx(money_ntd, abs=0.01)


def test_carbon_and_rate_per_day() -> None:
    saving = reckon(Waste(energy_kwh=120.0, basis="metered"), site(), "ltb", taipei(18), taipei(20))
    assert saving.carbon_kg == 56.04  # 120 x 0.467, the newest factor, of 2025
    assert saving.per_day_kwh == 1440.0
    assert "0.467 kg/kWh (2025)" in saving.basis


def test_carbon_is_by_the_factor_of_each_local_year() -> None:
    start = datetime(2024, 12, 31, 4, tzinfo=UTC)  # noon in Taipei
    waste = Waste(energy_kwh=120.0, basis="metered")
    across = reckon(waste, site(), "ltb", start, start + timedelta(days=1))
    assert across.carbon_kg == 56.46  # 60 x 0.474 + 60 x 0.467
    assert across.basis == "metered; 0.474 kg/kWh (2024); 0.467 kg/kWh (2025)"
    until_new_year = reckon(waste, site(), "ltb", start, start + timedelta(hours=12))
    assert until_new_year.carbon_kg == 56.88
    before = datetime(2015, 7, 1, tzinfo=UTC)
    unknown = reckon(waste, site(), "ltb", before, before + timedelta(hours=1))
    assert (unknown.carbon_kg, unknown.basis) == (None, "metered")


def test_without_a_tariff_there_is_no_price_but_energy() -> None:
    for unpriced in (site(tariff=None), site(tariff="unheard-of")):
        saving = reckon(Waste(energy_kwh=1.0), unpriced, "ltb", taipei(18), taipei(20))
        assert (saving.energy_kwh, saving.money_ntd) == (1.0, None)


def test_what_cannot_be_said_stays_unsaid() -> None:
    assert reckon(None, site(), "ltb", taipei(18), taipei(20)).energy_kwh is None
    water = reckon(Waste(water_m3=3.456, basis="balance"), site(), "ltb", taipei(18), taipei(20))
    assert (water.water_m3, water.energy_kwh, water.money_ntd) == (3.46, None, None)
