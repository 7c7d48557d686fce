"""Energy of meters and spaces: amounts by hour, day or month, balance, intensity, CO2, last year."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from energy_center.analysis.counters import CounterEventKind, FloatArray
from energy_center.analysis.grid import Step
from energy_center.analysis.insufficient import Insufficient
from energy_center.analysis.intervals import Method
from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Line
from energy_center.domain.timeline import Interval
from energy_center.errors import Invalid
from energy_center.services.demand_advice import DemandAdvice, read_demand_advice
from energy_center.services.read_energy import MeterPart, how, read_balance, read_energy
from energy_center.services.read_intensity import SpaceFigures, read_comparison, read_space_figures
from energy_center.services.read_shares import read_shares, read_weather_comparison

router = APIRouter(tags=["energy"])

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no reading is older
_AHEAD = timedelta(days=366)
_MONTH = timedelta(days=31)

Meter = Annotated[
    Line,
    Query(
        min_length=1,
        max_length=500,
        description="A meter's id or an expression of meters.",
        examples=["ltb-main", "ltb-main - sum(ltb-fl*-meter)"],
    ),
]
From = Annotated[AwareDatetime | None, Query(alias="from", description="31 days before `to` when left out.")]
To = Annotated[AwareDatetime | None, Query(description="Now when left out; not included.")]
By = Annotated[Step, Query(description="Whole steps that touch the period, local hours, days and months.")]


class Part(BaseModel):
    """A meter that is in the figure, with the point read and its factor."""

    model_config = ConfigDict(from_attributes=True)

    equipment_id: str
    point: str
    factor: float


class Event(BaseModel):
    """What happened to a register: `at` is the time of the first reading after it."""

    meter: str
    at: datetime
    kind: CounterEventKind
    before: float | None
    after: float | None


class StepEnergy(BaseModel):
    """`amount` is null where nothing is known; `coverage` is the measured share 0..1 of the step."""

    start: datetime
    end: datetime
    amount: float | None
    coverage: float


class EnergyAnswer(BaseModel):
    """Amounts in `unit`; `how` says in words how they were found, `method` from which kind of reading."""

    meter: str
    unit: str = Field(description="UCUM code: kW.h or m3.")
    by: Step
    start: datetime
    end: datetime
    total: float | None
    coverage: float
    method: Method
    how: str
    parts: list[Part]
    events: list[Event]
    steps: list[StepEnergy]


def _period(start: datetime | None, end: datetime | None, now: datetime) -> Interval:
    until = end or now
    if not _EARLIEST < until <= now + _AHEAD:
        raise Invalid("`to` must lie between the year 2000 and a year from now.")
    since = start or max(until - _MONTH, _EARLIEST)
    if not _EARLIEST <= since < until:
        raise Invalid("`from` must lie before `to`, and not before the year 2000.")
    return Interval(since, until)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _known(amount: float) -> float | None:
    return None if np.isnan(amount) else float(amount)


def _parts(parts: Iterable[MeterPart]) -> list[Part]:
    return [Part.model_validate(part) for part in parts]


@router.get("/energy", summary="Energy of a meter", name="read_energy")
async def get_energy(
    _: Viewer, data: Data, now: Now, meter: Meter, start: From = None, to: To = None, by: By = Step.DAY
) -> EnergyAnswer:
    """Consumption (or generation, or water) of each step, with coverage and everything that it is made of."""
    found = await read_energy(data, meter, _period(start, to, now), by)
    energies = found.energies
    return EnergyAnswer(
        meter=meter,
        unit=found.unit,
        by=by,
        start=_at(energies.edges_s[0]),
        end=_at(energies.edges_s[-1]),
        total=energies.total,
        coverage=energies.total_coverage,
        method=energies.method,
        how=how(energies.method, found.parts),
        parts=_parts(found.parts),
        events=[
            Event(meter=name, at=_at(e.at_s), kind=e.kind, before=_known(e.before), after=_known(e.after))
            for name, e in found.events
        ],
        steps=_steps(energies.edges_s, energies.amount, energies.coverage),
    )


def _steps(edges_s: FloatArray, amount: FloatArray, coverage: FloatArray) -> list[StepEnergy]:
    return [
        StepEnergy(start=_at(start), end=_at(end), amount=_known(known), coverage=share)
        for (start, end), known, share in zip(pairwise(edges_s), amount, coverage, strict=True)
    ]


class BalanceStep(BaseModel):
    """kWh; `cannot_be`: the parts exceed the main meter by more than the meters' errors."""

    start: datetime
    end: datetime
    main: float | None
    parts: float | None
    residual: float | None
    coverage: float
    cannot_be: bool


class BalanceAnswer(BaseModel):
    """A main meter less the meters fed by it: what no sub-meter sees, in kWh."""

    meter: str
    by: Step
    unit: str
    residual_share: float | None = Field(description="Of the main meter's energy, over all known steps.")
    parts: list[Part]
    steps: list[BalanceStep]


@router.get("/energy/balance", summary="Main meter against its sub-meters", name="read_balance")
async def get_balance(
    _: Viewer, data: Data, now: Now, meter: Meter, start: From = None, to: To = None, by: By = Step.DAY
) -> BalanceAnswer:
    """Generation among the parts has factor -1: it adds to what the main meter feeds."""
    found = await read_balance(data, meter, _period(start, to, now), by)
    balance, edges = found.balance, found.edges_s
    return BalanceAnswer(
        meter=meter,
        by=by,
        unit="kW.h",
        residual_share=balance.residual_share,
        parts=_parts(found.parts),
        steps=[
            BalanceStep(
                start=_at(edges[i]),
                end=_at(edges[i + 1]),
                main=_known(balance.main[i]),
                parts=_known(balance.parts[i]),
                residual=_known(balance.residual[i]),
                coverage=balance.coverage[i],
                cannot_be=bool(balance.cannot_be[i]),
            )
            for i in range(len(balance.main))
        ],
    )


class ComparisonAnswer(BaseModel):
    """Sums over pairs of like days that both years know well; `change_share` -0.05 is 5 % less than then."""

    meter: str
    unit: str
    start: datetime
    end: datetime
    now: float
    then: float
    change_share: float | None
    pairs: int
    left_out: list[str] = Field(description="Local dates without a like day, or without its data.")


@router.get("/energy/comparison", summary="The same period last year", name="compare_with_last_year")
async def get_comparison(
    _: Viewer, data: Data, now: Now, meter: Meter, start: From = None, to: To = None
) -> ComparisonAnswer:
    """Whole days up to yesterday, weekday against weekday and holiday against the holiday of its name."""
    found = await read_comparison(data, meter, _period(start, to, now), now)
    compared = found.comparison
    return ComparisonAnswer(
        meter=meter,
        unit=found.unit,
        start=found.start,
        end=found.end,
        now=compared.now_kwh,
        then=compared.then_kwh,
        change_share=compared.change_share,
        pairs=compared.pairs,
        left_out=[on.isoformat() for on in compared.left_out],
    )


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
    return _intensity(await read_space_figures(data, space_id, _period(start, to, now)))


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
    found = await read_shares(data, space_id, _period(start, to, now))
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


class WeatherAnswer(BaseModel):
    """Cooling degree days in K·d above 18.3 Cel; `cv` is CV(RMSE) of the daily model, null without one."""

    meter: str
    unit: str
    start: datetime
    end: datetime
    consumption: float | None
    cooling_days: float | None
    cooling_days_last_year: float | None
    per_degree_day: float | None
    cv: float | None
    at_last_years_weather: float | None
    not_known: list[str]


@router.get("/energy/weather", summary="Consumption at last year's weather", name="read_weather_comparison")
async def get_weather_comparison(
    _: Viewer, data: Data, now: Now, meter: Meter, start: From = None, to: To = None
) -> WeatherAnswer:
    """A daily model of working days and degree days; refused with the reasons where it is not good enough."""
    found = await read_weather_comparison(data, meter, _period(start, to, now))
    return WeatherAnswer(
        meter=found.meter,
        unit=found.unit,
        start=found.start,
        end=found.end,
        consumption=found.consumption,
        cooling_days=found.cooling_days,
        cooling_days_last_year=found.cooling_days_last_year,
        per_degree_day=found.model.per_degree_day if found.model else None,
        cv=found.model.cv if found.model else None,
        at_last_years_weather=found.at_last_years_weather,
        not_known=list(found.not_known),
    )
