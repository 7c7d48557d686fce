"""A figure says how far it may be trusted, and how it is made has words in both languages."""

from datetime import UTC, datetime, timedelta

import pytest

from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId, Quality
from energy_center.domain.site import Point
from energy_center.i18n.text import LANGUAGES, text
from energy_center.services.figures import (
    Figure,
    FigureSource,
    FigureState,
    derived,
    is_stale,
    missing,
    reading_figure,
    sum_of,
    worst,
)
from energy_center.store.latest import Latest

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
POINT = Point("meter", "active_power", Role.ACTIVE_POWER, 60.0, PointId(7))
GOOD, STALE, MISSING = FigureState.GOOD, FigureState.STALE, FigureState.MISSING


def _figure(amount: float, state: FigureState = GOOD, age_s: float = 0.0, point: int = 1) -> Figure:
    at = NOW - timedelta(seconds=age_s)
    return Figure(amount, "kW", at, state, FigureSource.READING, (PointId(point),))


def _latest(age_s: float, quality: Quality = Quality.GOOD) -> Latest:
    return Latest(PointId(7), NOW - timedelta(seconds=age_s), 12.5, quality, NOW, 1)


@pytest.mark.parametrize("source", list(FigureSource))
@pytest.mark.parametrize("language", LANGUAGES)
def test_how_a_figure_is_made_has_words(source: FigureSource, language: str):
    assert text(source.value, language).strip()


@pytest.mark.parametrize(
    ("interval_s", "age_s", "stale"), [(5, 20, False), (5, 21, True), (60, 180, False), (60, 181, True)]
)
def test_a_reading_is_stale_after_three_intervals_but_not_before_20_s(
    interval_s: float, age_s: float, stale: bool
):
    assert is_stale(NOW - timedelta(seconds=age_s), interval_s, NOW) is stale


@pytest.mark.parametrize(
    ("latest", "state", "amount"),
    [
        (_latest(10), GOOD, 12.5),
        (_latest(10, Quality.OUT_OF_RANGE), FigureState.SUSPECT, 12.5),
        (_latest(500), STALE, 12.5),
        (None, MISSING, None),
    ],
)
def test_the_state_of_a_reading(latest: Latest | None, state: FigureState, amount: float | None):
    figure = reading_figure(POINT, latest, NOW, "kW")
    assert (figure.state, figure.amount, figure.point_ids) == (state, amount, (PointId(7),))


def test_a_point_that_does_not_exist_is_missing_in_the_roles_unit():
    assert reading_figure(None, None, NOW, "Cel") == missing("Cel", FigureSource.READING)


@pytest.mark.parametrize(
    ("states", "together"),
    [
        ([], MISSING),
        ([MISSING, MISSING], MISSING),
        ([GOOD, GOOD], GOOD),
        ([GOOD, MISSING], FigureState.PARTIAL),
        ([GOOD, STALE, MISSING], STALE),
        ([GOOD, FigureState.SUSPECT], FigureState.SUSPECT),
        ([FigureState.SUSPECT, FigureState.PARTIAL], FigureState.PARTIAL),
    ],
)
def test_the_worst_part_decides(states: list[FigureState], together: FigureState):
    assert worst(states) is together


def test_a_sum_is_as_old_as_its_oldest_part():
    total = sum_of([_figure(1.5, age_s=40, point=1), _figure(2.0, point=2)], "kW", FigureSource.PLANT_POWER)
    assert (total.amount, total.at, total.coverage) == (3.5, NOW - timedelta(seconds=40), 1.0)
    assert total.point_ids == (PointId(1), PointId(2))


def test_a_figure_that_needs_a_missing_part_is_missing():
    parts = (_figure(3.0), missing("kW", FigureSource.READING, (PointId(9),)))
    assert derived(1.0, "1", FigureSource.PLANT_EFFICIENCY, parts).amount is None
