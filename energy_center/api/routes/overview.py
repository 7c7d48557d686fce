"""The buildings now."""

from fastapi import APIRouter

from energy_center.api.deps import Data, Now, Viewer
from energy_center.services.read_overview import Overview, read_overview

router = APIRouter(prefix="/overview", tags=["overview"])


@router.get("", summary="All buildings now", name="read_overview")
async def overview(_: Viewer, data: Data, now: Now) -> Overview:
    """Power, energy and cost today, demand block, plant, rainwater, basements, PV and alarms, by building.

    Every figure says its unit, time, state, source and the points it was made from. One without `amount`
    cannot be known now.
    """
    return await read_overview(data, now)
