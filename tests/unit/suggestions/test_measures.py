"""Each measure against a month worked by hand: July 2026, 23 working days, the tariff's summer."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.quantities import Role
from energy_center.suggestions.cooling import dew_point_c, wet_bulb_c
from energy_center.suggestions.find_measures import find_measure, measures
from energy_center.suggestions.history import History, OpenFinding, PlanOffer
from energy_center.suggestions.measure import Confidence, Draft
from tests.unit.suggestions.build import NAME, by_hour, chiller_plant, flat, history, july, machine

WORKING_DAYS = 23


def drafts(measure_id: str, held: History, **changed: float) -> tuple[Draft, ...]:
    entry = find_measure(measure_id)
    found = entry.find(held, entry.measure.defaults() | changed)
    assert not isinstance(found, Insufficient), found
    return found


def one(measure_id: str, held: History, **changed: float) -> Draft:
    (draft,) = drafts(measure_id, held, **changed)
    return draft


def saved_kwh(draft: Draft) -> float:
    return float(sum(np.sum(kwh) for kwh in draft.saved.values()))


def cooled(load_kw: float = 500.0, **words: float) -> History:
    """100 kW from 9 to 17 o'clock on working days: 18,400 kWh."""
    power = by_hour({(9, 17): 100.0})
    gauges, chiller = chiller_plant(np.where(power > 0, load_kw, 0.0), power, **words)
    return history({"cooling": power}, [chiller], gauges)


def test_cooling_after_hours_is_what_the_meters_count_then() -> None:
    # 17:30-18:30, 1 h x 100 kW x 23 days, less 10 %
    power = by_hour({(8, 18.5): 100.0})
    held = history({"cooling": power}, [machine("ch", "Centrifugal_Chiller", fed_by="cooling")])
    assert saved_kwh(one("schedule-trim", held)) == pytest.approx(2070.0)


def test_a_standing_night_load_is_no_cooling_after_hours() -> None:
    power = by_hour({(8, 17.5): 100.0}, rest=10.0)
    held = history({"cooling": power}, [machine("ch", "Centrifugal_Chiller", fed_by="cooling")])
    assert saved_kwh(one("schedule-trim", held)) == 0.0


def test_lights_of_the_evening_count_above_the_night() -> None:
    # (20 - 4) kW x 2 h x 23 evenings x half
    power = by_hour({(8, 20.5): 20.0}, rest=4.0)
    assert saved_kwh(one("lights-sweep", history({"fl": power}, floors={"fl": 1000.0}))) == pytest.approx(
        368.0
    )


def test_base_load_is_held_against_the_better_quarter_of_the_floors() -> None:
    # 1 W/m2 is what the better quarter needs; (2 - 1) + (4 - 1) kW x (744 - 23 x 14) h x 0.7
    floors = {"a": 1.0, "b": 1.0, "c": 2.0, "d": 4.0}
    held = history({f: flat(kw) for f, kw in floors.items()}, floors=dict.fromkeys(floors, 1000.0))
    draft = one("base-load", held)
    assert saved_kwh(draft) == pytest.approx(4.0 * 422.0 * 0.7)
    assert draft.figures["target_w_per_m2"] == pytest.approx(1.0)


def test_rooms_a_kelvin_too_cold_cost_five_percent_of_the_cooling() -> None:
    held = replace(cooled(), zones={"z1": np.full(640, 25.0), "z2": np.full(640, 25.0)})
    assert saved_kwh(one("zone-setpoint", held)) == pytest.approx(0.05 * 18_400)


def test_two_days_of_zone_temperatures_give_a_low_confidence() -> None:
    draft = one("zone-setpoint", replace(cooled(), zones={"z": np.full(64, 25.0)}))
    assert (draft.confidence, draft.coverage) == (Confidence.LOW, pytest.approx(0.1))


def with_weather(held: History, temperature: float, humidity: float) -> History:
    weather = {
        ("w", Role.OUTDOOR_AIR_TEMPERATURE): flat(temperature),
        ("w", Role.OUTDOOR_AIR_HUMIDITY): flat(humidity),
    }
    return replace(held, gauges={**held.gauges, **weather})


def test_chilled_water_may_be_a_kelvin_warmer_at_a_dew_point_of_sixteen() -> None:
    # 20 Cel and 77.8 % have a dew point of 16.0: 0.25 x 4 K = 1 K; 2 % less a fifth of it
    draft = one("chilled-water-reset", with_weather(cooled(), 20.0, 77.77))
    assert saved_kwh(draft) == pytest.approx(18_400 * 0.016, rel=0.002)


def test_chilled_water_stays_cold_when_the_air_is_moist() -> None:
    assert saved_kwh(one("chilled-water-reset", with_weather(cooled(), 28.0, 80.0))) == 0.0


def test_condenser_water_is_held_against_the_wet_bulb() -> None:
    # wet bulb of 20 Cel and 50 % is 13.7: the least, 21 Cel, holds; 9 K x 3 % x 0.75
    draft = one("condenser-water", with_weather(cooled(entering_c=30.0), 20.0, 50.0))
    assert saved_kwh(draft) == pytest.approx(18_400 * 0.2025)


def test_weather_formulas_give_published_values() -> None:
    # Stull 2011: 20 Cel and 50 % have a wet bulb of 13.7; psychrometric chart: dew point 9.3
    warm, half = np.array([20.0]), np.array([50.0])
    assert wet_bulb_c(warm, half)[0] == pytest.approx(13.7, abs=0.05)
    assert dew_point_c(warm, half)[0] == pytest.approx(9.3, abs=0.1)


def two_chillers() -> History:
    """Machines that take 0.2 and 0.3 kW per kW of cooling in turn, day by day, at 400 to 600 kW."""
    frame = july()
    running = frame.is_working & (frame.hour >= 7) & (frame.hour < 19)
    load = np.where(running, 400.0 + 16.0 * (frame.hour - 7), 0.0)
    gauges, machines = {}, []
    for name, share, turn in (("a", 0.2, 0), ("b", 0.3, 1)):
        own = np.where(frame.day_of % 2 == turn, load, 0.0)
        made, chiller = chiller_plant(own, own * share)
        # water that is colder now and then, so that its weight can be told
        made["ch", Role.CONDENSER_WATER_ENTERING_TEMPERATURE] = 29.0 + frame.day_of % 5
        gauges |= {(name, role): series for (_, role), series in made.items()}
        machines.append(replace(chiller, equipment_id=name, fed_by=f"m{name}"))
    return history(
        {f"m{e.equipment_id}": gauges[e.equipment_id, Role.ACTIVE_POWER] for e in machines}, machines, gauges
    )


def test_the_better_chiller_leads() -> None:
    # on its days the worse one takes 0.1 kW per kW more than the better would; 70 % of that is in reach
    held = two_chillers()
    more = float(np.sum(held.power_kw["mb"])) / 4.0 / 3.0
    draft = one("chiller-sequencing", held)
    assert saved_kwh(draft) == pytest.approx(0.7 * more, rel=1e-6)
    assert set(np.flatnonzero(draft.saved["ma"] > 1e-6)) == set()


def test_an_old_chiller_is_held_against_a_new_one_with_pay_back() -> None:
    # 100 kW for 250 kW of cooling are 1.407 kW/RT; a new one takes 0.5; 1 NT$ a ton so that it pays in July
    draft = one("chiller-replacement", cooled(250.0), cost_ntd_per_rt=100.0)
    assert draft.figures["kw_per_rt"] == pytest.approx(100.0 / (250.0 / 3.517))
    assert saved_kwh(draft) == pytest.approx(18_400 * (1.0 - 0.5 / 1.4068), rel=1e-4)
    assert draft.cost_ntd == pytest.approx(100.0 * 1000.0 / 3.517, abs=500)


def test_a_replacement_that_never_pays_is_not_suggested_and_says_so() -> None:
    entry = find_measure("chiller-replacement")
    answer = entry.find(cooled(250.0), entry.measure.defaults())
    assert isinstance(answer, Insufficient)
    assert "pays back in" in answer.reasons[0]


def test_primary_pumps_slow_down_with_the_temperature_difference() -> None:
    # half the load is half the difference, the least speed of 0.75 holds: 7.5 kW x (1 - 0.75^2.5) x 184 h
    held = cooled(500.0)
    pump = machine("p", "Chilled_Water_Pump", fed_by="pumps", duty="primary", rated_kw=10)
    held = replace(held, equipment=(*held.equipment, pump), power_kw={**held.power_kw, "pumps": flat(10.0)})
    draft = one("primary-pump-speed", held)
    assert saved_kwh(draft) == pytest.approx(7.5 * (1 - 0.75**2.5) * 184.0)


def test_a_contract_of_the_demand_saves_the_basic_charge_of_the_rest() -> None:
    # 200 kW all month against 500: 300 kW x 223.60, power factor 95 % takes 1.5 % off, twelve such months
    draft = one("contract-capacity", history({"x": flat(200.0)}), spread=0.0, least_months=1.0)
    assert draft.figures["best_kw"] == 200.0
    assert draft.money_ntd == pytest.approx(300 * 223.60 * 0.985 * 12, abs=1.0)


def test_a_fitting_contract_is_left_alone() -> None:
    assert (
        drafts(
            "contract-capacity", history({"x": flat(200.0)}, contract_kw=200), spread=0.0, least_months=1.0
        )
        == ()
    )


def test_the_cheapest_tariff_is_suggested() -> None:
    held = history({"x": flat(200.0)})
    assert held.billing is not None
    plans = (PlanOffer(NAME, 1_000_000.0, True), PlanOffer(NAME, 900_000.0, False))
    assert (
        one("tariff-plan", replace(held, billing=replace(held.billing, plans=plans))).money_ntd == 100_000.0
    )


def test_ten_points_of_power_factor_are_one_percent_of_basic_and_energy_charge() -> None:
    # 100 kW in July: peak 138 h, half-peak 207 h, Saturday 60 h, off-peak 339 h
    energy = 100 * (138 * 9.39 + 207 * 5.85 + 60 * 2.60 + 339 * 2.53)
    draft = one("power-factor", history({"x": flat(100.0)}, power_factor=Decimal(85)))
    assert draft.money_ntd == pytest.approx(0.01 * (500 * 223.60 + energy), abs=1.0)
    # 100 kW x (tan(acos 0.85) - tan(acos 0.96)) = 100 x (0.6197 - 0.2917)
    assert draft.figures["needed_kvar"] == pytest.approx(32.8, abs=0.1)


def test_a_month_without_power_factor_is_not_drawn_as_zero() -> None:
    held = history({"x": flat(100.0)}, power_factor=Decimal(85))
    assert held.billing is not None
    twice = replace(held.billing, periods=held.billing.periods * 2, power_factors=(Decimal(85), None))
    bars = one("power-factor", replace(held, billing=twice)).bars
    assert bars is not None
    assert (bars.labels, bars.before, bars.after) == (("2026-07",), (85.0,), (95.0,))


def test_chargers_move_their_share_to_the_night() -> None:
    charger = machine("ev", "Electric_Vehicle_Charging_Station", fed_by="m")
    draft = one("ev-charging-shift", history({"m": by_hour({(18, 20): 10.0})}, [charger]))
    (move,) = draft.moves
    # 60 % of 10 kW x 2 h x 23 days, given evenly to 24 quarter-hours of the same night
    assert float(np.sum(move.taken)) == pytest.approx(276.0)
    assert float(np.max(move.given)) == pytest.approx(12.0 / 24)
    assert float(np.sum(move.given)) == pytest.approx(276.0)


def test_chargers_with_other_loads_on_their_meter_cannot_be_told() -> None:
    charger = machine("ev", "Electric_Vehicle_Charging_Station", fed_by="m")
    entry = find_measure("ev-charging-shift")
    held = history({"m": by_hour({(18, 20): 10.0}, rest=5.0)}, [charger])
    assert isinstance(entry.find(held, entry.measure.defaults()), Insufficient)


def test_pre_cooling_takes_a_quarter_of_the_late_afternoon() -> None:
    power = by_hour({(9, 17.5): 100.0})
    gauges, chiller = chiller_plant(np.where(power > 0, 500.0, 0.0), power)
    (move,) = one("pre-cooling", history({"cooling": power}, [chiller], gauges)).moves
    # 0.25 x 100 kW x 1.5 h x 23 days, and 5 % more before
    assert float(np.sum(move.taken)) == pytest.approx(862.5)
    assert float(np.sum(move.given)) == pytest.approx(862.5 * 1.05)


def test_lift_pumps_fill_the_tank_at_night() -> None:
    power = by_hour({(17, 19): 5.0})
    pump = machine("p", "Water_Pump", fed_by="m")
    (move,) = one("pump-schedule", history({"m": power}, [pump], {("p", Role.ACTIVE_POWER): power})).moves
    assert float(np.sum(move.taken)) == pytest.approx(0.8 * 5 * 2 * WORKING_DAYS)


def rain_history() -> History:
    """100 mm into a tank not full bring 50 m3; 40 mm fall while it is full; the building takes 297.6 m3."""
    rain, inlet, level = flat(0.0), flat(0.0), flat(50.0)
    rain[:100], inlet[:100] = 1.0, 0.5
    rain[200:240], level[200:240] = 1.0, 100.0
    gauges: Mapping[tuple[str, Role], np.ndarray] = {
        ("t", Role.TANK_INLET_VOLUME): inlet,
        ("t", Role.TANK_LEVEL): level,
        ("w", Role.RAIN_DEPTH): rain,
        ("wm", Role.WATER_VOLUME): flat(0.1),
    }
    return history(
        {"x": flat(1.0)}, [machine("t", "Rainwater_Tank"), machine("wm", "Building_Water_Meter")], gauges
    )


def test_rain_that_ran_off_is_priced_as_mains_water() -> None:
    # 40 mm x 0.5 m3/mm, less than 30 % of 297.6 m3
    draft = one("rainwater-use", rain_history())
    assert draft.water_m3 == pytest.approx(20.0)
    assert draft.money_ntd == pytest.approx(20.0 * 12.075)


def test_a_finding_is_worth_its_waste_of_a_season() -> None:
    finding = OpenFinding(7, "rule", "ahu", NAME, 2.0, 10.0)
    held = history({"m": flat(10.0)}, [machine("ahu", "Air_Handler_Unit", fed_by="m")], findings=[finding])
    draft = one("repair-finding", held)
    assert saved_kwh(draft) == pytest.approx(900.0)
    assert draft.alarm_id == 7


def test_a_leak_is_worth_its_water_of_a_season_and_no_energy() -> None:
    held = history({"m": flat(10.0)}, findings=[OpenFinding(7, "rule", "meter", NAME, 2.0, None, 4.0)])
    draft = one("repair-finding", held)
    assert (draft.saved, draft.water_m3) == ({}, 360.0)
    assert draft.money_ntd == pytest.approx(360.0 * 12.075)
    assert draft.figures == {"per_day_m3": 4.0, "days": 2.0}


def test_a_finding_never_claims_more_than_half_of_its_meter() -> None:
    finding = OpenFinding(7, "rule", "ahu", NAME, 2.0, 1000.0)
    held = history({"m": flat(10.0)}, [machine("ahu", "Air_Handler_Unit", fed_by="m")], findings=[finding])
    assert saved_kwh(one("repair-finding", held)) == pytest.approx(0.5 * 7440)


NEEDS_DATA = sorted(set(measures()) - {"repair-finding"})


@pytest.mark.parametrize("measure_id", NEEDS_DATA)
def test_a_measure_without_its_inputs_cannot_tell(measure_id: str) -> None:
    entry = find_measure(measure_id)
    answer = entry.find(history({"x": flat(1.0)}, billed=False), entry.measure.defaults())
    assert isinstance(answer, Insufficient)
    assert answer.reasons


@pytest.mark.parametrize(
    "measure_id", ["schedule-trim", "chilled-water-reset", "condenser-water", "pre-cooling"]
)
def test_a_measure_with_half_of_its_data_cannot_tell(measure_id: str) -> None:
    held = with_weather(cooled(), 20.0, 50.0)
    gap = np.arange(len(held)) % 2 == 0
    lacking = {m: np.where(gap, np.nan, kw) for m, kw in held.power_kw.items()}
    gauges = {key: np.where(gap, np.nan, series) for key, series in held.gauges.items()}
    entry = find_measure(measure_id)
    answer = entry.find(replace(held, power_kw=lacking, gauges=gauges), entry.measure.defaults())
    assert isinstance(answer, Insufficient)
    assert "50%" in " ".join(answer.reasons)


@pytest.mark.parametrize("measure_id", sorted(measures()))
def test_every_measure_has_words_in_both_languages_and_sources(measure_id: str) -> None:
    measure = find_measure(measure_id).measure
    assert set(measure.texts) == {"zh-TW", "en"}
    for words in measure.texts.values():
        assert all([words.name, words.why, words.steps, words.note, words.made])
    assert measure.source
    assert measure.needs
    assert all(number.source and number.unit for number in measure.numbers)
