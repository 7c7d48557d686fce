"""The overview's figures as cells that the push channel can refresh. No layout."""

from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from dashboards import fmt
from dashboards.components.cell import ALARMING, RUNNING, Cell, How, from_figure, from_money, how_of
from dashboards.components.deviation import positions
from energy_center.i18n.text import text
from energy_center.services.figures import Figure, FigureState
from energy_center.services.read_overview import (
    BuildingNow,
    ChillerPlant,
    DemandBlock,
    Overview,
    PumpNow,
    RainTankNow,
    SumpNow,
)

_LEVEL_FULL_M = 2.0  # where a sump's own depth is unknown, the bar's end stands for this level


def overview_cells(overview: Overview, language: str, zone: ZoneInfo) -> dict[str, Cell]:
    """Every cell of the page by key."""
    found: list[Cell] = []
    for now in overview.buildings:
        found.extend(_building(now, language, zone))
    if overview.weather is not None:
        weather, at = overview.weather, overview.weather.equipment_id
        found.append(
            from_figure(
                "weather/temperature", weather.temperature, language, point=f"{at}/outdoor_air_temperature"
            )
        )
        found.append(
            from_figure("weather/humidity", weather.humidity, language, point=f"{at}/outdoor_air_humidity")
        )
        found.append(from_figure("weather/rain", weather.rain_rate, language, point=f"{at}/rain_rate"))
    return {cell.key: cell for cell in found}


def _building(now: BuildingNow, language: str, zone: ZoneInfo) -> list[Cell]:
    here = now.building_id
    main = f"{now.main_meter_id}/active_power" if now.main_meter_id else ""
    found = [
        from_figure(f"{here}/power", now.total_power, language, point=main),
        from_figure(f"{here}/energy", now.energy_today, language),
        from_money(f"{here}/cost", now.cost_today.total, language),
        _contract(f"{here}/contract", now.contract, language),
        *_demand(here, now.demand, now.contract.amount, language, zone),
    ]
    if now.plant is not None:
        found.extend(_plant(here, now.plant, language))
    if now.pv is not None:
        found.append(from_figure(f"{here}/pv", now.pv.power, language))
        found.append(from_figure(f"{here}/pv-today", now.pv.energy_today, language))
    for sump in now.sumps:
        found.extend(_sump(sump, language))
    if now.rain_tank is not None:
        found.extend(_rain_tank(now.rain_tank, language))
    return found


def _contract(key: str, contract: Figure, language: str) -> Cell:
    """Contracts are in whole kW."""
    shown = fmt.MISSING if contract.amount is None else f"{contract.amount:,.0f}"
    return replace(from_figure(key, contract, language), shown=shown)


def _demand(
    here: str, block: DemandBlock, contract: float | None, language: str, zone: ZoneInfo
) -> list[Cell]:
    so_far, forecast = block.so_far.amount, block.forecast.amount
    style = positions(so_far, forecast, block.forecast_low, block.forecast_high, contract)
    over = forecast is not None and contract is not None and forecast > contract
    bar = Cell(
        key=f"{here}/demand-bar",
        shown="",
        at=block.forecast.at,
        state=block.forecast.state,
        flag="alarm" if over else "ok",
        style=style,
    )
    span = text(
        "overview.demand_block", language, start=fmt.clock(block.start, zone), end=fmt.clock(block.end, zone)
    )
    return [
        bar,
        from_figure(f"{here}/so-far", block.so_far, language),
        from_figure(f"{here}/forecast", block.forecast, language),
        Cell(f"{here}/forecast-range", _range(block, language), how=how_of(block.forecast)),
        Cell(
            f"{here}/margin",
            _margin(forecast, contract, language),
            flag="alarm" if over else "ok",
            how=How("how.source.margin", block.forecast.point_ids, block.forecast.coverage),
        ),
        Cell(f"{here}/block", span),
    ]


def _range(block: DemandBlock, language: str) -> str:
    if block.forecast_low is None or block.forecast_high is None:
        return ""
    half = (block.forecast_high - block.forecast_low) / 2
    return text("overview.demand_range", language, range=fmt.number(half, "kW"))


def _margin(forecast: float | None, contract: float | None, language: str) -> str:
    if forecast is None:
        return text("overview.demand_unknown", language)
    if contract is None:
        return ""
    key = "overview.contract_over" if forecast > contract else "overview.contract_left"
    return text(key, language, kw=f"{abs(contract - forecast):,.0f}")


def _plant(here: str, plant: ChillerPlant, language: str) -> list[Cell]:
    running = plant.chillers_running
    shown = f"{fmt.MISSING if running is None else running} / {plant.chillers_total}"
    state = FigureState.MISSING if running is None else plant.power.state
    return [
        Cell(
            f"{here}/chillers", shown, at=plant.power.at, state=state,
            how=How("how.source.chillers", plant.power.point_ids),
        ),
        from_figure(f"{here}/plant-power", plant.power, language),
        from_figure(f"{here}/supply", plant.supply_temperature, language, point=_header(plant, "supply")),
        from_figure(f"{here}/return", plant.return_temperature, language, point=_header(plant, "return")),
        from_figure(f"{here}/efficiency", plant.efficiency, language),
    ]  # fmt: skip


def plant_header(plant: ChillerPlant) -> str | None:
    """The equipment that stands for the whole plant: after the chillers in the service's list."""
    return plant.equipment_ids[-1] if len(plant.equipment_ids) > plant.chillers_total else None


def _header(plant: ChillerPlant, side: str) -> str:
    header = plant_header(plant)
    return f"{header}/chilled_water_{side}_temperature" if header else ""


def _sump(sump: SumpNow, language: str) -> list[Cell]:
    at = sump.equipment_id
    found = [
        from_figure(f"{at}/level", sump.level, language, point=f"{at}/sump_level"),
        Cell(
            f"{at}/level-bar", "", at=sump.level.at, state=sump.level.state,
            style=_level(sump.level.amount, _LEVEL_FULL_M),
        ),
        from_figure(
            f"{at}/float", sump.high_float, language,
            point=f"{at}/high_float", words="float", flags=ALARMING,
        ),
    ]  # fmt: skip
    found.extend(_pump(pump, language) for pump in sump.pumps)
    return found


def _pump(pump: PumpNow, language: str) -> Cell:
    at = pump.equipment_id
    point = f"{at}/pump_status"
    return from_figure(f"{at}/status", pump.status, language, point=point, words="running", flags=RUNNING)


def _rain_tank(tank: RainTankNow, language: str) -> list[Cell]:
    at = tank.equipment_id
    return [
        from_figure(f"{at}/level", tank.level, language, point=f"{at}/tank_level"),
        Cell(
            f"{at}/level-bar",
            "",
            at=tank.level.at,
            state=tank.level.state,
            style=_level(tank.level.amount, 100.0),
        ),
        from_figure(f"{at}/volume", tank.volume, language),
        from_figure(
            f"{at}/mains", tank.mains_valve, language, point=f"{at}/mains_valve", words="valve", flags=RUNNING
        ),
        from_figure(
            f"{at}/overflow",
            tank.overflow,
            language,
            point=f"{at}/overflow_state",
            words="claim",
            flags=ALARMING,
        ),
    ]


def _level(amount: float | None, full: float) -> Mapping[str, str]:
    return {"--fill": "0%" if amount is None else f"{min(100.0, max(0.0, 100 * amount / full)):.1f}%"}
