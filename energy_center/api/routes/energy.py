"""Energy of meters: amounts by hour, day or month, balance, like days and weather of last year."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from energy_center.analysis.counters import CounterEventKind, FloatArray
from energy_center.analysis.grid import Step
from energy_center.analysis.intervals import Method
from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Line
from energy_center.api.periods import From, To, period_asked
from energy_center.services.read_energy import MeterPart, how, read_balance, read_energy
from energy_center.services.read_intensity import read_comparison
from energy_center.services.read_shares import read_weather_comparison

router = APIRouter(tags=["energy"])

Meter = Annotated[
    Line,
    Query(
        min_length=1,
        max_length=500,
        description="A meter's id or an expression of meters.",
        examples=["ltb-main", "ltb-main - sum(ltb-fl*-meter)"],
    ),
]
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
    found = await read_energy(data, meter, period_asked(start, to, now), by)
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
    found = await read_balance(data, meter, period_asked(start, to, now), by)
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
    found = await read_comparison(data, meter, period_asked(start, to, now), now)
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
    found = await read_weather_comparison(data, meter, period_asked(start, to, now))
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
