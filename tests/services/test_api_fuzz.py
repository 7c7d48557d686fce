"""No request, however odd, makes the server answer 500: values are drawn from the API's own description."""

from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy_center.api.app import create_api
from energy_center.domain.people import UserRole
from energy_center.settings import Settings
from energy_center.store.pool import Database
from tests.services.city_hall import applied

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]

_DOCUMENT = create_api(Settings()).openapi()
_NASTY = [
    "\x00",
    "%00",
    "' OR 1=1 --",
    "../../etc/passwd",
    "𝟙",
    "é" * 200,
    "-1",
    "1e400",
    "NaN",
    "null",
    "\r\nX: y",
]
_ENDS_OUR_SESSION = ("DELETE", "/api/v1/session")


_ODD = st.sampled_from(_NASTY) | st.text(max_size=20)
_INTEGERS = st.integers(-(2**64), 2**64) | st.integers(0, 3) | _ODD
_PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "integer": _INTEGERS,
    "number": _INTEGERS,
    "boolean": st.booleans() | _ODD,
    "null": st.none(),
    "date-time": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()) | _ODD,
    "uuid": st.uuids().map(str) | _ODD,
}


def _values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a parameter or field may be sent, right and wrong."""
    if "$ref" in schema:
        return _values(_DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if options := schema.get("anyOf"):
        return st.one_of([_values(option) for option in options])
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "other"])
    if "items" in schema:
        return st.lists(_values(schema["items"]), max_size=3)
    if "properties" in schema:
        fields = {name: _values(field) for name, field in schema["properties"].items()}
        return st.fixed_dictionaries({}, optional=fields)
    return _PLAIN.get(schema.get("format", ""), _PLAIN.get(schema.get("type", ""), _ODD))


def _requests(path: str, operation: dict[str, Any]) -> st.SearchStrategy[tuple[str, dict[str, Any], Any]]:
    parameters = operation.get("parameters", [])
    placed = {
        where: {p["name"]: _values(p["schema"]) for p in parameters if p["in"] == where}
        for where in ("path", "query")
    }
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")

    def fill(chosen: dict[str, Any]) -> str:
        filled = path
        for name, part in chosen.items():
            filled = filled.replace(f"{{{name}}}", quote(str(part), safe="") or "x")
        return filled

    return st.tuples(
        st.fixed_dictionaries(placed["path"]).map(fill),
        st.fixed_dictionaries({}, optional=placed["query"]),
        _values(body) if body else st.none(),
    )


OPERATIONS = [
    pytest.param(method.upper(), path, operation, id=f"{method} {path}")
    for path, operations in _DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if path.startswith("/api/v1") and (method.upper(), path) != _ENDS_OUR_SESSION
]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
async def test_odd_request_is_never_a_server_error(
    method: str, path: str, operation: dict[str, Any], logged_in: LogIn, database: Database
):
    await applied(database)
    client = await logged_in(UserRole.ADMIN)
    drawn: list[tuple[str, dict[str, Any], Any]] = []

    @settings(
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_requests(path, operation))
    def draw(request: tuple[str, dict[str, Any], Any]) -> None:
        drawn.append(request)

    draw()
    for filled, query, body in drawn:
        answer = await client.request(method, filled, params=query, json=body)
        assert answer.status_code < 500, (filled, query, body, answer.text)
