"""Bills of buildings, what other tariffs would cost, and the contract that would cost least."""

from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import Line
from energy_center.services.bill_building import MOST_MONTHS
from energy_center.services.bill_pdf import bill_pdf
from energy_center.services.bill_questions import (
    BuildingBillView,
    ContractView,
    PlanView,
    read_bills,
    read_contract,
    read_plans,
)
from energy_center.services.what_if import Setup, WhatIf, read_what_if
from energy_center.tariffs.what_if import Battery

router = APIRouter(prefix="/bills", tags=["bills"])

Building = Annotated[
    Line, Query(max_length=100, description="A building of the site file.", examples=["ltb"])
]
Month = Annotated[
    str | None,
    Query(pattern=r"^(19[7-9]\d|20\d\d)-(0[1-9]|1[0-2])$", description="The last whole month when left out."),
]
NamedMonth = Annotated[str, Query(pattern=r"^(19[7-9]\d|20\d\d)-(0[1-9]|1[0-2])$", examples=["2026-07"])]
Months = Annotated[int, Query(ge=1, le=MOST_MONTHS, description="So many months, the one of `month` last.")]


@router.get("", summary="Bills of a building", name="list_bills")
async def list_bills(
    _: Viewer, data: Data, now: Now, building: Building, month: Month = None, months: Months = 1
) -> list[BuildingBillView]:
    """Reckoned from the main meter's register by the tariff of the site file, oldest first.

    Every line says quantity, price, clause and coverage. Under 99 % coverage a bill is provisional and says
    what is missing; without any reading energy and total are null. 404 for an unknown building, one without
    tariff or main meter, or a month that no known price table covers.
    """
    return await read_bills(data, building, month, months, now)


@router.get(
    "/pdf",
    summary="One bill as PDF",
    name="bill_as_pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def bill_as_pdf(
    user: Viewer,
    data: Data,
    now: Now,
    building: Building,
    month: NamedMonth,
    language: Annotated[
        Literal["zh-TW", "en"] | None, Query(description="The user's own when left out.")
    ] = None,
) -> Response:
    """The figures of the bill as `/bills` gives them, each line with clause and coverage; tagged PDF/A-2a.

    The same figures give the same bytes.
    """
    paper = await bill_pdf(data, building, month, language or user.language, now)
    name = f"bill-{quote(building, safe='')}-{month}.pdf"
    headers = {"content-disposition": f'inline; filename="{name}"', "cache-control": "no-store"}
    return Response(paper, media_type="application/pdf", headers=headers)


@router.get("/plans", summary="What other tariffs would have cost", name="compare_plans")
async def compare_plans(
    _: Viewer, data: Data, now: Now, building: Building, month: Month = None, months: Months = 12
) -> list[PlanView]:
    """Tariffs that the building may choose, the cheapest first, each also at the contract best for it."""
    return await read_plans(data, building, month, months, now)


@router.get("/contract", summary="The contract that would have cost least", name="advise_contract")
async def advise_contract(
    _: Viewer,
    data: Data,
    now: Now,
    building: Building,
    month: Month = None,
    months: Months = 12,
    growth: Annotated[float, Query(ge=-0.5, le=0.5, description="A year; 0.02 is 2 %.")] = 0.0,
) -> ContractView:
    """Exact to the kW over the months; with `growth` also over years to come. The curve shows the risk."""
    return await read_contract(data, building, month, months, growth, now)


@router.get("/what-if", summary="What photovoltaics or a battery would have saved", name="what_if")
async def what_if(
    _: Viewer,
    data: Data,
    now: Now,
    building: Building,
    month: Month = None,
    months: Months = 12,
    pv_kwp: Annotated[float, Query(ge=0, le=1e6, description="Photovoltaics to add.")] = 0.0,
    battery_kwh: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    battery_kw: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    efficiency: Annotated[float, Query(gt=0, le=1, description="Round trip.")] = 0.88,
    shave_to_kw: Annotated[float | None, Query(ge=0, le=1e6, description="Below the contract's.")] = None,
    pv_cost: Annotated[Decimal | None, Query(ge=0, le=10**9, description="Money a kWp.")] = None,
    battery_cost: Annotated[Decimal | None, Query(ge=0, le=10**9, description="Money a kWh.")] = None,
) -> WhatIf:
    """The measured quarter-hours, changed by what is added, billed again by the same tariff.

    The answer says its coverage and assumptions; months under 99 % do not count. 404 for photovoltaics where
    no generation was measured.
    """
    battery = (
        Battery(battery_kwh, battery_kw, efficiency, shave_to_kw) if battery_kwh and battery_kw else None
    )
    setup = Setup(pv_kwp, battery, pv_cost, battery_cost)
    return await read_what_if(data, building, month, months, setup, now)
