"""The API's description: made from the routes, with each one's permission and problems."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts

from energy_center.api.cookies import SESSION_COOKIE
from energy_center.api.deps import WhoMay
from energy_center.api.problems import MEDIA_TYPE, Problem
from energy_center.domain.people import Permission

DESCRIPTION = """
Log in with `POST /api/v1/session`; the answer sets a session cookie that every other call needs.

Times are UTC in RFC 3339, intervals half-open, units UCUM codes. Power and energy into the site are positive.
A failure is a problem document (RFC 9457, `application/problem+json`). Each operation names the permission it
needs as `x-permission`.
"""
TAGS = [
    {"name": "session", "description": "Logging in and out, and who is logged in."},
    {"name": "overview", "description": "The buildings now."},
    {"name": "equipment", "description": "Equipment, its points and their newest readings."},
    {"name": "series", "description": "History of points."},
    {"name": "energy", "description": "Energy of meters and spaces: amounts, balance, intensity, CO2."},
    {"name": "bills", "description": "Bills, what other tariffs would cost, and the best contract."},
    {"name": "alarms", "description": "Alarms and what people did about them (ISA-18.2)."},
    {"name": "rules", "description": "Parameters of rules: compared over the past, adopted, taken back."},
    {"name": "notification", "description": "Contacts, teams, the roster on call, levels, who was told."},
    {"name": "work orders", "description": "Work from an alarm or by hand, to its verified end."},
    {"name": "commands", "description": "Writes to equipment, where the site file allows them."},
    {"name": "devices", "description": "Devices, collector processes and long-running jobs."},
    {"name": "duties", "description": "Recurring duties: due dates, records, papers, compliance."},
    {"name": "administration", "description": "Accounts and the audit log."},
    {"name": "health", "description": "Whether the server works."},
]
_PROBLEMS = {
    "401": "Nobody is logged in.",
    "403": "This role may not do that.",
    "422": "A field of the request is wrong.",
    "503": "The database is away.",
}


def described_routes(app: FastAPI) -> Iterator[RouteContext]:
    """Every operation of the API that the description holds."""
    for route in iter_route_contexts(app.routes):
        if getattr(route, "dependant", None) is not None and route.include_in_schema:
            yield route


def permission_of(route: RouteContext) -> Permission | None:
    """The permission that a route demands, None for the few open ones."""
    return next((check.permission for check in _checks(route.dependant)), None)


def _checks(dependant: Dependant) -> Iterator[WhoMay]:
    if isinstance(dependant.call, WhoMay):
        yield dependant.call
    for needed in dependant.dependencies:
        yield from _checks(needed)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of all routes in the schema."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
        license_info=app.license_info,
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE}}
    schemas = components.setdefault("schemas", {})
    model = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(model.pop("$defs", {}))
    schemas["Problem"] = model
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for route in described_routes(app):
        for method in route.methods or ():
            _complete(document["paths"][route.path_format][method.lower()], route)
    return document


def _complete(operation: dict[str, Any], route: RouteContext) -> None:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    permission = permission_of(route)
    answers = operation["responses"]
    for status, description in _PROBLEMS.items():
        if permission is None and status == "403":
            continue
        answers[status] = {"description": description, "content": content}
    if permission is not None:
        operation["x-permission"] = permission.value
        operation["security"] = [{"session": []}]
