"""Figures of spaces: intensity and CO2, own use of sun and rain, the present demand block."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from energy_center.analysis.insufficient import Insufficient
from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Line
from energy_center.api.periods import From, To, period_asked
from energy_center.services.demand_advice import DemandAdvice, read_demand_advice
from energy_center.services.read_intensity import SpaceFigures, read_space_figures
from energy_center.services.read_shares import read_shares

router = APIRouter(tags=["energy"])


class EmissionPart(BaseModel):
    """One calendar year; `is_provisional`: its factor is that of `factor_year`, its own is not announced."""

    year: int
    energy_kwh: float
    kg: float
    kg_per_kwh: float
    factor_year: int
    is_provisional: bool
    source: str


class IntensityAnswer(BaseModel):
    """EUI and what it is made of; `not_known` says why where it cannot be given."""

    space_id: str
    start: datetime
    end: datetime
    meter: str
    allocated_share: float | None = Field(
        description="Share of the building by floor area; null if measured."
    )
    energy_kwh: float | None
    coverage: float
    area_m2: float | None
    headcount: float | None
    kwh_per_m2_year: float | None
    kwh_per_head_year: float | None
    is_scaled: bool | None = Field(description="Reckoned from less than a whole year.")
    not_known: list[str]
    co2_kg: float | None
    co2_parts: list[EmissionPart]


@router.get("/spaces/{space_id}/intensity", summary="EUI and CO2 of a space", name="read_intensity")
async def get_intensity(
    _: Viewer,
    data: Data,
    now: Now,
    space_id: Annotated[Line, Path(max_length=100, description="As in the site file.", examples=["ltb"])],
    start: From = None,
    to: To = None,
) -> IntensityAnswer:
    """kWh/m²·yr and per head, kg CO2e by the official factor of each year. Whole local days."""
    return _intensity(await read_space_figures(data, space_id, period_asked(start, to, now)))


def _intensity(found: SpaceFigures) -> IntensityAnswer:
    known = None if isinstance(found.intensity, Insufficient) else found.intensity
    parts = found.emission.parts if found.emission else ()
    return IntensityAnswer(
        space_id=found.space_id,
        start=found.start,
        end=found.end,
        meter=found.meter,
        allocated_share=found.allocated_share,
        energy_kwh=found.energy_kwh,
        coverage=found.coverage,
        area_m2=found.area_m2,
        headcount=found.headcount,
        kwh_per_m2_year=known.per_m2_year if known else None,
        kwh_per_head_year=known.per_head_year if known else None,
        is_scaled=known.is_scaled if known else None,
        not_known=list(found.intensity.reasons) if isinstance(found.intensity, Insufficient) else [],
        co2_kg=found.emission.kg if found.emission else None,
        co2_parts=[
            EmissionPart(
                year=p.year,
                energy_kwh=p.energy_kwh,
                kg=p.kg,
                kg_per_kwh=p.factor.kg_per_kwh,
                factor_year=p.factor.year,
                is_provisional=p.is_provisional,
                source=p.factor.source,
            )
            for p in parts
        ],
    )


class Quantile(BaseModel):
    """The block stays under `demand_kw` with this probability."""

    probability: float
    demand_kw: float


class Load(BaseModel):
    """A load that can be shed now; comfort cost 0 (nobody notices) to 10."""

    model_config = ConfigDict(from_attributes=True)

    equipment_id: str
    shed_kw: float
    comfort_cost: float
    is_advised: bool


class DemandAnswer(BaseModel):
    """`needed_kw`: how much less the building must take from now on to keep the limit, 90 % sure."""

    building_id: str
    start: datetime
    end: datetime
    limit_kw: float | None
    so_far_kw: float | None
    forecast: list[Quantile]
    over_probability: float | None
    needed_kw: float
    act_before: datetime | None = Field(description="Until when shedding the advised loads is soon enough.")
    is_enough: bool = Field(description="False where all loads together do not keep the limit.")
    loads: list[Load] = Field(description="Ranked: the least comfort cost first.")
    not_known: list[str]


@router.get("/demand/{space_id}", summary="The present demand block and what to shed", name="read_demand")
async def get_demand(
    _: Viewer,
    data: Data,
    now: Now,
    space_id: Annotated[Line, Path(max_length=100, description="A building's id.", examples=["ltb"])],
) -> DemandAnswer:
    """Quantiles of the block's average, and the loads that keep it under the contract, in time."""
    return _demand(await read_demand_advice(data, space_id, now))


def _demand(found: DemandAdvice) -> DemandAnswer:
    return DemandAnswer(
        building_id=found.building_id,
        start=found.start,
        end=found.end,
        limit_kw=found.limit_kw,
        so_far_kw=found.so_far_kw,
        forecast=[Quantile(probability=p, demand_kw=kw) for p, kw in found.quantiles_kw.items()],
        over_probability=found.over_probability,
        needed_kw=found.needed_kw,
        act_before=found.act_before,
        is_enough=found.is_enough,
        loads=[Load.model_validate(load) for load in found.loads],
        not_known=list(found.not_known),
    )


class SharesAnswer(BaseModel):
    """Own use of photovoltaics (kWh, shares 0..1) and of rainwater (m3); `not_known` names what lacks."""

    building_id: str
    start: datetime
    end: datetime
    coverage: float = Field(description="Of the least covered meter.")
    generated_kwh: float | None
    used_kwh: float | None = Field(description="Generation used on the site.")
    used_of_generation: float | None
    used_of_demand: float | None
    rain_m3: float | None
    mains_m3: float | None
    rain_share: float | None
    not_known: list[str]


@router.get("/spaces/{space_id}/shares", summary="Own use of sun and rain", name="read_shares")
async def get_shares(
    _: Viewer,
    data: Data,
    now: Now,
    space_id: Annotated[Line, Path(max_length=100, description="A building's id.", examples=["ltb"])],
    start: From = None,
    to: To = None,
) -> SharesAnswer:
    """Whole local days. Without an export meter all generation counts as used on the site."""
    found = await read_shares(data, space_id, period_asked(start, to, now))
    solar = found.solar
    return SharesAnswer(
        building_id=found.building_id,
        start=found.start,
        end=found.end,
        coverage=found.coverage,
        generated_kwh=solar.generated_kwh if solar else None,
        used_kwh=solar.used_kwh if solar else None,
        used_of_generation=solar.of_generation if solar else None,
        used_of_demand=solar.of_demand if solar else None,
        rain_m3=found.rain_m3,
        mains_m3=found.mains_m3,
        rain_share=found.rain_share,
        not_known=list(found.not_known),
    )
