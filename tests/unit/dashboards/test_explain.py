"""Every figure of the overview tells its source, unit, period, coverage and points."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sample import building, device, drawn, figure, overview, request

from dashboards.components.cell import Cell, How, from_figure
from dashboards.explain import explanation
from dashboards.pages.overview import side
from dashboards.pages.overview.building import building as draw_building
from dashboards.pages.overview.cells import overview_cells
from energy_center.domain.quantities import Kind, Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Site, Text
from energy_center.i18n.text import LANGUAGES
from energy_center.services.figures import FigureSource


class _Point:
    point_id, name, role, kind, interval_s = PointId(1), "active_power", Role.ACTIVE_POWER, Kind.GAUGE, 5.0


class _Meter:
    equipment_id, name, points = "ltb-main", Text("高壓總表", "HV main meter"), (_Point(),)


class _Site:
    equipment = (_Meter(),)


SITE = cast(Site, _Site())


def told(cell: Cell, language: str = "en") -> str:
    return drawn(explanation(cell, SITE, request(language=language)))


def all_cells() -> dict[str, Cell]:
    ask = request()
    return {
        **overview_cells(overview(building()), "en", ask.zone),
        **side.device_cells([device("a")], "en"),
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", [key for key, cell in all_cells().items() if cell.how])
def test_every_figure_tells_how_it_is_made(key: str, language: str) -> None:
    html = told(all_cells()[key], language)
    assert html.count("<dt>") == html.count("<dd>") == 8


def test_a_figure_without_an_explanation_is_a_bar_or_the_name_of_a_block() -> None:
    without = {key.partition("/")[2] for key, cell in all_cells().items() if cell.how is None}
    assert without == {"demand-bar", "block", "level-bar"}


def test_a_reading_names_its_point_unit_and_pace() -> None:
    html = told(from_figure("ltb/power", figure(310.0), "en"))
    assert 'href="/equipment/ltb-main?trend=active_power"' in html
    assert "HV main meter · Active power" in html
    assert "<dd>310.0 kW</dd><dt>Unit</dt><dd>kW</dd>" in html
    assert "at most one every 5 s" in html


def test_a_register_tells_its_period_and_coverage() -> None:
    today = replace(figure(97.0, "kW.h"), source=FigureSource.MAIN_METER_REGISTER, coverage=0.9)
    html = told(from_figure("ltb/energy", today, "en"))
    assert "From midnight until 12:07:27" in html
    assert "<dd>90.0%</dd>" in html


def test_what_is_not_known_is_said() -> None:
    html = told(from_figure("ltb/power", figure(None), "en"))
    assert "Never received" in html or "Not yet" in html or "Never" in html


def test_figures_on_the_page_are_buttons_that_a_keyboard_reaches() -> None:
    ask = request()
    html = drawn(draw_building(building(), overview_cells(overview(building()), "en", ask.zone), None, "en"))
    tag = next(tag for tag in html.split("<") if 'data-cell="ltb/power"' in tag)
    assert 'role="button"' in tag
    assert 'tabindex="0"' in tag
    assert 'data-explain="ltb/power"' in tag


def test_an_explanation_is_not_part_of_a_push() -> None:
    cell = Cell("a", "1", how=How("how.source.margin"))
    assert set(cast(dict[str, Any], cell.payload())) == {"t", "at", "s", "f", "n", "v"}
    assert cell == replace(cell, how=None)
