"""Equipment, its points and their newest readings."""

from typing import Annotated

from fastapi import APIRouter, Query

from energy_center.api.deps import Data, Now, Viewer
from energy_center.api.fields import EquipmentId, Limit, Line, Offset
from energy_center.services.read_equipment import EquipmentRow, EquipmentView
from energy_center.services.read_equipment import list_equipment as read_list
from energy_center.services.read_equipment import read_equipment as read_one

router = APIRouter(prefix="/equipment", tags=["equipment"])


@router.get("", summary="List equipment", name="list_equipment")
async def list_equipment(
    _: Viewer,
    data: Data,
    now: Now,
    building: Annotated[Line | None, Query(max_length=100, examples=["ltb"])] = None,
    search: Annotated[
        Line | None,
        Query(max_length=100, examples=["chiller"], description="In id, names and class, any case."),
    ] = None,
    limit: Limit = 500,
    offset: Offset = 0,
) -> list[EquipmentRow]:
    """In the order of the site file, each with its main figure."""
    rows = await read_list(data, now, building=building, search=search)
    return list(rows[offset : offset + limit])


@router.get("/{equipment_id}", summary="One equipment with its live points", name="read_equipment")
async def read_equipment(_: Viewer, equipment_id: EquipmentId, data: Data, now: Now) -> EquipmentView:
    """Nameplate, what feeds it and what it feeds, and each point's newest reading with its age."""
    return await read_one(data, equipment_id, now)
