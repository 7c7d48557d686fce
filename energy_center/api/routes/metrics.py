"""`GET /metrics` for Prometheus: with a session, the installation's token, or from allowed addresses."""

import secrets
from ipaddress import ip_address

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from energy_center.api import problems
from energy_center.api.auth import current_address, current_user
from energy_center.api.deps import Data, Installation, Now
from energy_center.api.exposition import exposition
from energy_center.domain.people import Permission
from energy_center.errors import DatabaseAway
from energy_center.services.supervision import Supervision, read_supervision
from energy_center.settings import Settings
from energy_center.store.pool import Database

router = APIRouter()

_SCHEME = "bearer "


@router.get("/metrics", include_in_schema=False, name="read_metrics")
async def read_metrics(request: Request, data: Data, settings: Installation, now: Now) -> Response:
    """The guard lets this path through: Prometheus has no session, so that the check is here."""
    if not _may_read(request, settings):
        answer = problems.problem(401, "log-in-needed", headers={"WWW-Authenticate": "Bearer"})
        answer.headers["Cache-Control"] = "no-store"
        return answer
    text = exposition(await _supervision(data, now), now, request.app.state.request_counts.families())
    headers = {"Cache-Control": "no-store"}
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4, headers=headers)


async def _supervision(data: Database, now: Now) -> Supervision | None:
    try:
        return await read_supervision(data, now)
    except DatabaseAway:
        return None


def _may_read(request: Request, settings: Settings) -> bool:
    user = current_user.get()
    if user is not None:
        return user.may(Permission.VIEW)
    return _has_token(request.headers.get("authorization", ""), settings) or _is_allowed(settings)


def _has_token(authorization: str, settings: Settings) -> bool:
    token = settings.metrics_token
    if token is None or not authorization.lower().startswith(_SCHEME):
        return False
    given = authorization[len(_SCHEME) :].strip()
    return secrets.compare_digest(given.encode(), token.get_secret_value().encode())


def _is_allowed(settings: Settings) -> bool:
    try:
        address = ip_address(current_address.get())
    except ValueError:  # a socket without an address
        return False
    return any(address in network for network in settings.metrics_open_to)
