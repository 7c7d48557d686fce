"""What the overview shows of every building now; each number is a figure that can be traced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from energy_center.domain.site import Text
from energy_center.services.figures import Figure, MoneyFigure
from energy_center.store.pool import Database


@dataclass(frozen=True, slots=True)
class BandCost:
    """Energy and energy charge of one tariff band so far today; `band` is the tariff's key (`peak`, …)."""

    band: str
    name: Text
    energy_kwh: float
    price_ntd_per_kwh: Decimal
    amount_ntd: Decimal


@dataclass(frozen=True, slots=True)
class CostToday:
    """Energy charge since local midnight, VAT included, industry factor applied; no basic charge.

    `band_now` is the band in force now, None where no tariff edition covers today.
    """

    total: MoneyFigure
    bands: tuple[BandCost, ...]
    band_now: str | None
    tariff_id: str | None
    edition: str | None
    industry_factor: Decimal | None


@dataclass(frozen=True, slots=True)
class DemandBlock:
    """The present 15-min demand block.

    `forecast` is the block's expected average; it lies between `forecast_low` and `forecast_high` (kW) with
    90 % probability. `over_contract_probability` is 0..1, None without a contract or forecast.
    """

    start: datetime
    end: datetime
    elapsed_share: float
    so_far: Figure
    forecast: Figure
    forecast_low: float | None
    forecast_high: float | None
    over_contract_probability: float | None


@dataclass(frozen=True, slots=True)
class ChillerPlant:
    """The chilled-water plant: chillers running, electrical power of the whole plant, header temperatures.

    `power` is chillers, pumps and towers; `efficiency` is kW per refrigeration ton (3.517 kW).
    """

    chillers_running: int | None
    chillers_total: int
    power: Figure
    supply_temperature: Figure
    return_temperature: Figure
    cooling_rt: Figure
    efficiency: Figure
    equipment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PumpNow:
    """A sump pump: 1 running, 0 stopped."""

    equipment_id: str
    name: Text
    status: Figure
    fault: Figure


@dataclass(frozen=True, slots=True)
class SumpNow:
    """A basement sump: level in m, float switch 1 when the water is high."""

    equipment_id: str
    name: Text
    level: Figure
    high_float: Figure
    pumps: tuple[PumpNow, ...]


@dataclass(frozen=True, slots=True)
class RainTankNow:
    """A rainwater tank: level in %, volume in m3, mains top-up valve 1 when open, overflow 1 when flowing."""

    equipment_id: str
    name: Text
    level: Figure
    volume: Figure
    capacity_m3: float | None
    mains_valve: Figure
    overflow: Figure


@dataclass(frozen=True, slots=True)
class WeatherNow:
    """The site's weather station."""

    equipment_id: str
    temperature: Figure
    humidity: Figure
    rain_rate: Figure


@dataclass(frozen=True, slots=True)
class PvNow:
    """Photovoltaics: power and today's energy as positive production."""

    power: Figure
    energy_today: Figure
    equipment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildingNow:
    """One building now. `plant`, `pv` and `rain_tank` are None where the building has none."""

    building_id: str
    name: Text
    main_meter_id: str | None
    total_power: Figure
    energy_today: Figure
    cost_today: CostToday
    contract: Figure
    demand: DemandBlock
    plant: ChillerPlant | None
    pv: PvNow | None
    sumps: tuple[SumpNow, ...]
    rain_tank: RainTankNow | None
    alarms: Mapping[str, int]  # active alarms by priority, all four priorities present
    alarms_unacknowledged: int
    devices: int
    devices_stale: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All buildings at `at`, the clock time it was asked for; `newest_at` is the newest reading anywhere."""

    at: datetime
    newest_at: datetime | None
    site_id: str
    name: Text
    time_zone: str
    weather: WeatherNow | None
    buildings: tuple[BuildingNow, ...]

    def building(self, building_id: str) -> BuildingNow | None:
        """The building of this id, or None."""
        return next((b for b in self.buildings if b.building_id == building_id), None)


async def read_overview(db: Database, now: datetime) -> Overview:
    """Read everything that the overview shows. Raises NotFound when no site has been applied yet."""
    raise NotImplementedError
