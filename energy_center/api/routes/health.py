"""Whether the server works, for load balancers and for pages that lost their socket."""

from datetime import datetime
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from energy_center.api.build import build_id
from energy_center.api.deps import Data, Now
from energy_center.services.check_health import database_answers

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The server's own state; nothing about the site."""

    status: Literal["ok", "degraded"]
    database: Literal["ok", "away"]
    build: str = Field(description="Changes with the program; a page of another build should reload.")
    at: datetime


@router.get("/health", summary="Whether the server works; 503 while its database is away", name="read_health")
async def read_health(response: Response, data: Data, now: Now) -> Health:
    """Needs no log-in and says nothing about the site."""
    reachable = await database_answers(data)
    if not reachable:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response.headers["Cache-Control"] = "no-store"
    return Health(
        status="ok" if reachable else "degraded",
        database="ok" if reachable else "away",
        build=build_id(),
        at=now,
    )
