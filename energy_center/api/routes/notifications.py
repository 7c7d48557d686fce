"""Who was told what, when, by which channel, and how it went."""

from typing import Annotated

from fastapi import APIRouter, Query

from energy_center.api.deps import AlarmOperator, Data
from energy_center.api.fields import Limit
from energy_center.services import notifications
from energy_center.services.notifications import Notification

router = APIRouter(prefix="/notifications", tags=["notification"])

_Number = Annotated[int | None, Query(ge=1, le=2**63 - 1)]


@router.get("", summary="Who was told what", name="list_notifications")
async def list_notifications(
    _: AlarmOperator,
    data: Data,
    alarm_id: _Number = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Older than this number.")] = None,
    limit: Limit = 100,
) -> list[Notification]:
    """Newest first. A message counts once however often it was tried; its number is in its text."""
    return await notifications.list_notifications(data, alarm_id=alarm_id, before=before, limit=limit)
