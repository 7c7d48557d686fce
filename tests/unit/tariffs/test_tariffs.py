"""Every shipped tariff prices its own worked examples; mistakes in a file are named, all at once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy_center.domain.timeline import Interval, blocks_in
from energy_center.errors import ConfigError, NotFound
from energy_center.services.tariff_catalogue import shipped_tariffs, tariff
from energy_center.tariffs.price import IntervalEnergy, price_energy
from energy_center.tariffs.tariff_file import parse_edition
from energy_center.tariffs.tariff_model import Tariff, join_editions

TAIPEI = ZoneInfo("Asia/Taipei")
TOU3 = tariff("taipower-hv-tou3")
FILE = (resources.files("energy_center.tariffs") / "catalogue" / "taipower-hv-tou3-2025-10.yaml").read_text(
    "utf-8"
)
EXAMPLES = [
    pytest.param(shipped, example, id=f"{shipped.tariff_id}: {example.name}")
    for shipped in shipped_tariffs().values()
    for edition in shipped.editions
    for example in edition.worked_examples
]


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TAIPEI)


def _band(text: str) -> str:
    return TOU3.editions[-1].season_and_band(_local(text))[1]


@pytest.mark.parametrize(("shipped", "example"), EXAMPLES)
def test_a_worked_example_is_priced_to_the_cent(shipped: Tariff, example):
    zone = shipped.editions[0].zone
    period = Interval(example.start.replace(tzinfo=zone), example.end.replace(tzinfo=zone))
    energies = [IntervalEnergy(b, float(example.load_kw) / 4) for b in blocks_in(period)]
    charge = price_energy(shipped, energies, example.industry_factor)
    by_band: dict[str, Decimal] = {}
    for line in charge.lines:
        by_band[line.band] = by_band.get(line.band, Decimal(0)) + line.energy_kwh
    assert by_band == dict(example.energy_kwh)
    assert charge.total == example.amount
    assert charge.coverage == 1.0


def test_a_july_bill_of_the_tariff_book():
    """90,000 x 9.39 + 150,000 x 5.85 + 40,000 x 2.60 + 120,000 x 2.53 = 2,130,200.00."""
    hours = {
        "2026-07-06T16:00": 9e4,
        "2026-07-06T09:00": 15e4,
        "2026-07-04T09:00": 4e4,
        "2026-07-05T09:00": 12e4,
    }
    energies = [
        IntervalEnergy(Interval(_local(text), _local(text) + timedelta(minutes=15)), kwh)
        for text, kwh in hours.items()
    ]
    assert price_energy(TOU3, energies, Decimal(1)).total == Decimal("2130200.00")
    assert price_energy(TOU3, energies, Decimal("1.017")).total == Decimal("2166413.40")


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("2026-07-06T15:59", "half_peak"),
        ("2026-07-06T16:00", "peak"),
        ("2026-07-06T21:59", "peak"),
        ("2026-07-06T22:00", "half_peak"),
        ("2026-07-07T00:00", "off_peak"),
        ("2026-05-15T18:00", "half_peak"),
        ("2026-05-18T18:00", "peak"),
        ("2026-10-15T18:00", "peak"),
        ("2026-10-16T18:00", "half_peak"),
        ("2026-11-24T05:59", "off_peak"),
        ("2026-11-24T06:00", "half_peak"),
        ("2026-11-24T11:00", "off_peak"),
        ("2026-11-24T14:00", "half_peak"),
        ("2026-11-21T07:00", "saturday_half_peak"),
        ("2026-02-21T10:00", "off_peak"),  # fifth day of the new year, a Saturday
        ("2026-02-27T10:00", "half_peak"),  # given off for 28 February: charged as the Friday it is
        ("2026-12-25T10:00", "off_peak"),
    ],
)
def test_the_band_of_an_instant(text: str, band: str):
    assert _band(text) == band


@given(st.integers(0, 365 * 96), st.lists(st.floats(0, 500), min_size=1, max_size=20), st.integers(0, 20))
@settings(max_examples=25)
def test_parts_of_a_period_cost_what_the_whole_costs(first: int, energies_kwh: list[float], cut: int):
    start = datetime(2026, 1, 1, tzinfo=UTC) + first * timedelta(minutes=15)
    quarter = timedelta(minutes=15)
    energies = [
        IntervalEnergy(Interval(start + i * quarter, start + (i + 1) * quarter), kwh)
        for i, kwh in enumerate(energies_kwh)
    ]
    whole = price_energy(TOU3, energies, Decimal("1.017")).total
    parts = [price_energy(TOU3, part, Decimal("1.017")).total for part in (energies[:cut], energies[cut:])]
    assert abs(whole - sum(parts)) <= Decimal(
        "0.30"
    )  # each line rounds its energy to 1 Wh, each part to a cent
    assert whole >= 0


def test_an_unknown_interval_lowers_the_coverage_not_the_price():
    known = IntervalEnergy(Interval(_local("2026-11-24T06:00"), _local("2026-11-24T06:15")), 10.0)
    unknown = IntervalEnergy(Interval(_local("2026-11-24T06:15"), _local("2026-11-24T06:30")), None)
    charge = price_energy(TOU3, [known, unknown], Decimal(1))
    assert charge.total == Decimal("54.70")
    assert charge.coverage == 0.5


def test_without_intervals_nothing_is_covered():
    charge = price_energy(TOU3, [], Decimal(1))
    assert (charge.total, charge.coverage) == (Decimal("0.00"), 0.0)


def test_a_day_before_every_edition_is_an_error():
    with pytest.raises(NotFound, match="2025-09-30"):
        TOU3.edition_at(date(2025, 9, 30))


def test_a_price_change_splits_the_period_by_day():
    old = TOU3.editions[-1]
    dearer = {key: price + 1 for key, price in old.energy_prices.items()}
    new = replace(old, edition="later", valid_from=date(2026, 11, 25), energy_prices=dearer)
    joined = join_editions([new, old])
    period = Interval(_local("2026-11-24T20:00"), _local("2026-11-25T01:00"))
    charge = price_energy(joined, [IntervalEnergy(b, 1.0) for b in blocks_in(period)], Decimal(1))
    assert [(x.edition, x.energy_kwh, x.price) for x in charge.lines] == [
        ("2025-10", Decimal("16.000"), Decimal("5.47")),
        ("later", Decimal("4.000"), Decimal("3.32")),
    ]


def test_editions_that_overlap_are_refused():
    old = replace(TOU3.editions[-1], valid_to=date(2027, 1, 1))
    with pytest.raises(ConfigError, match="overlap"):
        join_editions([old, replace(old, edition="other", valid_from=date(2026, 6, 1))])


@pytest.mark.parametrize(
    ("found", "put", "message"),
    [
        ("currency: TWD", "currency: TWD\nprices_in: cents", "prices_in: Extra inputs are not permitted"),
        ('"09:00": half_peak, "16:00": peak', '"09:00": mid_peak, "16:00": peak', "unknown band 'mid_peak'"),
        (
            'summer: {peak: "9.39", half_peak',
            "summer: {half_peak",
            "energy_prices.summer: no price for 'peak'",
        ),
        (
            '"00:00": off_peak, "06:00": half_peak',
            '"06:00": half_peak',
            "non_summer.weekday: must begin at 00:00",
        ),
        ('"06:00": half_peak', '"24:00": half_peak', "'24:00' is not a time"),
        ('half_peak: "5.47"', 'half_peak: "-5.47"', "energy_prices.non_summer.half_peak"),
        (
            "valid_from: 2025-10-01",
            "valid_from: 2025-10-01\nvalid_to: 2025-09-01",
            "valid_to: not after valid_from",
        ),
        ("otherwise: non_summer", "otherwise: winter", "no hours for the season 'winter'"),
        ("time_zone: Asia/Taipei", "time_zone: Asia/Nowhere", "time_zone"),
        ("lunar_new_year", "easter", "off_peak_days.festivals.0.festival"),
        ('summer: {regular: "223.60"', 'summer: {regulr: "223.60"', "unknown contract 'regulr'"),
        ('summer: {regular: "223.60", half', "summer: {half", "'regular' has no price in this season"),
        ('off_peak: "44.70"', 'off_peak: "44.80"', "its kinds must have one price in a season"),
        ("{band: peak, contracts", "{band: peek, contracts", "rounds.summer: unknown band 'peek'"),
        ('    first_times: "2"\n', "", "capacity.over.first_times: Field required"),
        (
            "rounding: {",
            'energy_tiers: {summer: [{price: "1"}]}\nrounding: {',
            "stand in place of energy_prices",
        ),
        (
            "rounding: {",
            "demand_hours: {summer: {weekday: {}}}\nrounding: {",
            "demand_hours.summer.weekday: must",
        ),
        ("  basic: 第五章", "  basis: 第五章", "clauses.basis"),
    ],
)
def test_a_mistake_in_a_tariff_file_is_named(found: str, put: str, message: str):
    assert found in FILE
    with pytest.raises(ConfigError) as refused:
        parse_edition(FILE.replace(found, put, 1), "edition.yaml")
    assert any(message in mistake for mistake in refused.value.mistakes)
