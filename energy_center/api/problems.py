"""What the API answers when it cannot do what was asked: problem documents of RFC 9457.

`type` names the kind for programs, `title` says it in general, `detail` for this request.
"""

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from energy_center.errors import (
    Conflict,
    EnergyCenterError,
    Invalid,
    LogInRefused,
    NotAllowed,
    NotFound,
    RetryLater,
    TooManyAttempts,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_PREFIX = "urn:energy-center:problem:"
_RETRY_AFTER_S = 5

# kind -> title; the first fitting class decides, so narrower ones stand first
_TITLES = {
    "log-in-needed": "Log in first.",
    "log-in-refused": "The log-in was refused.",
    "too-many-attempts": "Too many attempts.",
    "not-allowed": "You may not do that.",
    "foreign-origin": "The request came from another site's page.",
    "not-found": "There is no such thing.",
    "conflict": "It is no longer in the state the request assumed.",
    "invalid": "The request is wrong.",
    "too-large": "The request's body is too large.",
    "away": "Something this needs is away; try again in a moment.",
    "internal": "The server made a mistake.",
    "http": "The request could not be served.",
}
_KINDS: tuple[tuple[type[EnergyCenterError], int, str], ...] = (
    (LogInRefused, 401, "log-in-refused"),
    (TooManyAttempts, 429, "too-many-attempts"),
    (NotAllowed, 403, "not-allowed"),
    (NotFound, 404, "not-found"),
    (Conflict, 409, "conflict"),
    (Invalid, 422, "invalid"),
)


class FieldMistake(BaseModel):
    """One wrong field of a request."""

    pointer: str = Field(
        examples=["/body/comment"], description="Where: query, path or body, then the field."
    )
    detail: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """A problem document of RFC 9457."""

    type: str = Field(examples=[_PREFIX + "not-found"])
    title: str = Field(examples=["There is no such thing."])
    status: int = Field(examples=[404])
    detail: str | None = Field(default=None, examples=["No alarm 17."])
    reference: str | None = Field(default=None, description="Names this failure in the server's log.")
    errors: list[FieldMistake] | None = Field(default=None, description="What is wrong with which field.")


def problem(
    status: int,
    kind: str,
    detail: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> JSONResponse:
    """A problem document of one kind."""
    document: dict[str, Any] = {"type": _PREFIX + kind, "title": _TITLES[kind], "status": status}
    if detail and detail != _TITLES[kind]:
        document["detail"] = detail
    return JSONResponse({**document, **more}, status, headers, media_type=MEDIA_TYPE)


def from_error(error: EnergyCenterError) -> JSONResponse:
    """The problem document of an error of ours; what is not the caller's to solve becomes a reference."""
    if isinstance(error, RetryLater):  # its message may name machines inside
        return problem(503, "away", headers=_wait(error))
    for kind_of_error, status, kind in _KINDS:
        if isinstance(error, kind_of_error):
            facts = json.loads(json.dumps(error.facts, default=str))
            return problem(status, kind, error.message, _wait(error), **({"facts": facts} if facts else {}))
    return _internal(error)


def from_any(error: Exception) -> JSONResponse:
    """The problem document of any error; one that is not ours is logged with its traceback."""
    return from_error(error) if isinstance(error, EnergyCenterError) else _internal(error)


def _wait(error: EnergyCenterError) -> dict[str, str]:
    if isinstance(error, TooManyAttempts):
        return {"Retry-After": str(max(1, ceil(error.wait_s)))}
    return {"Retry-After": str(_RETRY_AFTER_S)} if isinstance(error, RetryLater) else {}


def _internal(error: Exception) -> JSONResponse:
    reference = secrets.token_hex(6)
    log.error("request failed", exc_info=error, extra={"action": "request_failed", "reference": reference})
    return problem(500, "internal", reference=reference)


def _mistakes(errors: Sequence[Any]) -> list[dict[str, str]]:
    return [
        FieldMistake(
            pointer="/" + "/".join(str(part) for part in error["loc"]), detail=error["msg"]
        ).model_dump()
        for error in errors
    ]


async def _our_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EnergyCenterError)  # noqa: S101 registered for this class only
    return from_error(error)


async def _wrong_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 registered for this class only
    return problem(422, "invalid", "Some fields are wrong.", errors=_mistakes(error.errors()))


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 registered for this class only
    kind = {403: "not-allowed", 404: "not-found"}.get(error.status_code, "http")
    return problem(error.status_code, kind, str(error.detail), error.headers)


async def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    return _internal(error)


def answer_with_problems(app: FastAPI) -> None:
    """Make every failure of the app a problem document."""
    app.add_exception_handler(EnergyCenterError, _our_error)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen)
