"""Builders of what services answer, so that a page can be drawn without any of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

from dash.development.base_component import Component

from dashboards.components.still import to_html
from dashboards.request import PageRequest
from energy_center.domain.alarms import AlarmState, Priority
from energy_center.domain.people import User, UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.readings import PointId
from energy_center.domain.site import Text
from energy_center.services.alarms import AlarmRow
from energy_center.services.demand_now import DemandBlock
from energy_center.services.figures import Figure, FigureSource, FigureState, MoneyFigure
from energy_center.services.overview_parts import (
    ChillerPlant,
    PumpNow,
    PvNow,
    RainTankNow,
    SumpNow,
    WeatherNow,
)
from energy_center.services.read_devices import DeviceRow
from energy_center.services.read_equipment import EquipmentRow
from energy_center.services.read_overview import BuildingNow, CostToday, Overview

NOW = datetime(2026, 11, 24, 4, 7, 30, tzinfo=UTC)
SEEN = NOW - timedelta(seconds=3)


def request(role: UserRole = UserRole.OPERATOR, language: str = "en", **query: str) -> PageRequest:
    return PageRequest(
        path="/", params={}, query=query, user=User(1, "lin", "Lin", role, language), language=language,
        theme="light", zone=ZoneInfo("Asia/Taipei"), now=NOW, database=cast(Any, None),
    )  # fmt: skip


def figure(
    amount: float | None, unit: str = "kW", state: FigureState = FigureState.GOOD, point: int = 1
) -> Figure:
    if amount is None:
        state = FigureState.MISSING
    at = None if amount is None else NOW - timedelta(minutes=5) if state is FigureState.STALE else SEEN
    return Figure(amount, unit, at, state, FigureSource.READING, (PointId(point),))


def building(
    amount: float | None = 310.0, state: FigureState = FigureState.GOOD, *, forecast: float = 320.0
) -> BuildingNow:
    """Everything says `amount`, or nothing at all where it is None."""

    def shown(unit: str) -> Figure:
        return figure(amount, unit, state)

    money = MoneyFigure(
        None if amount is None else Decimal("77699.2"), "TWD", SEEN, state, FigureSource.ENERGY_CHARGE_TODAY
    )
    has = amount is not None
    stopped = figure(0.0 if has else None, "1", state)
    return BuildingNow(
        building_id="ltb", name=Text("臺灣大道", "Taiwan Boulevard"), main_meter_id="ltb-main",
        total_power=shown("kW"), energy_today=shown("kW.h"),
        cost_today=CostToday(money, (), None, None, None, None),
        contract=figure(1500.0),
        demand=DemandBlock(
            start=NOW.replace(minute=0, second=0), end=NOW.replace(minute=15, second=0), elapsed_share=0.5,
            so_far=shown("kW"), forecast=figure(forecast if has else None, "kW", state),
            forecast_low=forecast - 10 if has else None, forecast_high=forecast + 10 if has else None,
            over_contract_probability=None,
        ),
        plant=ChillerPlant(
            1 if has else None, 2, shown("kW"), shown("Cel"), shown("Cel"), shown("[RT]"), shown("kW/[RT]"),
            ("ltb-chiller-1", "ltb-chiller-2", "ltb-plant"),
        ),
        pv=PvNow(shown("kW"), shown("kW.h"), ("ltb-pv-1",)),
        sumps=(
            SumpNow(
                "ltb-sump-b3", Text("集水坑", "Sump"), figure(1.9 if has else None, "m", state),
                figure(1.0 if has else None, "1", state),
                (PumpNow("ltb-sump-b3-p1", Text("泵", "Pump"), stopped, stopped),),
            ),
        ),
        rain_tank=RainTankNow(
            "tank", Text("池", "Tank"), figure(63.0 if has else None, "%", state), shown("m3"), 120.0,
            stopped, stopped,
        ),
        alarms={p.value: 0 for p in Priority}, alarms_unacknowledged=0, devices=10, devices_stale=0,
    )  # fmt: skip


def overview(*buildings: BuildingNow) -> Overview:
    weather = WeatherNow("weather", figure(27.4, "Cel"), figure(71.0, "%"), figure(0.0, "mm/h"))
    return Overview(NOW, SEEN, "taichung", Text("臺中", "Taichung"), "Asia/Taipei", weather, buildings)


def alarm(alarm_id: int = 1, state: AlarmState = AlarmState.UNACKNOWLEDGED, **changes: Any) -> AlarmRow:
    given: dict[str, Any] = {
        "alarm_id": alarm_id, "rule_id": "sump-high-pump-off", "title": Text("高水位", "Sump level high"),
        "equipment_id": "ltb-sump-b3", "equipment_name": Text("集水坑", "Sump B3"), "building_id": "ltb",
        "priority": Priority.CRITICAL, "state": state, "onset_at": NOW - timedelta(minutes=14),
        "raised_at": NOW - timedelta(minutes=12), "returned_at": None, "acknowledged_at": None,
        "acknowledged_by": None, "shelved_until": None, "suppressed_by": None, "work_order_id": None,
    }  # fmt: skip
    return AlarmRow(**{**given, **changes})


def device(device_id: str, *, online: bool | None = True, stale: int = 0) -> DeviceRow:
    return DeviceRow(
        device_id, Text("裝置", f"Device {device_id}"), "c", "ltb", online, SEEN, SEEN, "", 10, stale, 0
    )


def equipment(
    equipment_id: str, main: Figure | None, *, online: bool | None = True, alarms: int = 0
) -> EquipmentRow:
    return EquipmentRow(
        equipment_id=equipment_id, name=Text("總表", f"Meter {equipment_id}"), brick_class="Electrical_Meter",
        building_id="ltb", space_id="ltb-b1", space_name=Text("地下 1 樓", "Basement 1"),
        device_id=equipment_id,
        is_online=online, seen_at=main.at if main else None, points=1 if main else 0,
        points_stale=int(main is not None and main.state is FigureState.STALE),
        main_role=Role.ACTIVE_POWER if main else None, main=main, active_alarms=alarms,
    )  # fmt: skip


def drawn(component: Component) -> str:
    """The page as HTML, parts that are sent as HTML included."""
    return to_html(component)
