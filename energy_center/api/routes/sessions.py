"""Logging in and out, and what a person may set about themselves."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from energy_center.api.auth import current_address
from energy_center.api.cookies import (
    SESSION_COOKIE,
    clear_session_cookie,
    set_language_cookie,
    set_session_cookie,
    unseal,
)
from energy_center.api.deps import Data, Doer, Installation, LogInAttempts, Now, ThisSession, Viewer
from energy_center.api.fields import Line
from energy_center.domain.people import Permission, User, UserRole
from energy_center.services import log_in, users

router = APIRouter(prefix="/session", tags=["session"])


class Credentials(BaseModel):
    """What a person types to log in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "lin", "password": "a long passphrase"}]}
    )

    name: Line = Field(max_length=64)
    password: SecretStr = Field(max_length=200)


class Person(BaseModel):
    """Who is logged in, and what they may do."""

    name: str = Field(examples=["lin"])
    display_name: str = Field(examples=["林小姐"])
    role: UserRole
    language: Literal["zh-TW", "en"]
    permissions: list[Permission]
    expires_at: datetime = Field(description="The session ends then at the latest.")


class Preferences(BaseModel):
    """What a person may set about themselves."""

    language: Literal["zh-TW", "en"]


class PasswordChange(BaseModel):
    """A new password, proved by the old one."""

    old: SecretStr = Field(max_length=200)
    new: SecretStr = Field(max_length=200)


def _person(user: User, expires_at: datetime) -> Person:
    return Person(
        name=user.name,
        display_name=user.display_name,
        role=user.role,
        language="en" if user.language == "en" else "zh-TW",
        permissions=[permission for permission in Permission if user.may(permission)],
        expires_at=expires_at,
    )


@router.post("", status_code=201, summary="Log in", name="log_in")
async def open_session(
    credentials: Credentials,
    request: Request,
    response: Response,
    data: Data,
    installation: Installation,
    attempts: LogInAttempts,
    now: Now,
) -> Person:
    """Open a session and set its cookie; the one this browser had before ends.

    One answer (401) for a wrong name, a wrong password and an account that rests after failures.
    """
    address = current_address.get()
    attempts.take(address, now)
    opened = await log_in.log_in(
        data,
        credentials.name,
        credentials.password.get_secret_value(),
        address,
        now,
        previous_token=unseal(request.cookies.get(SESSION_COOKIE, ""), installation),
    )
    attempts.give_back(address)
    set_session_cookie(response, opened.token, installation)
    set_language_cookie(response, opened.user.language, installation)
    response.headers["Cache-Control"] = "no-store"
    return _person(opened.user, opened.expires_at)


@router.get("", summary="Who is logged in", name="read_session")
async def read_session(viewer: Viewer, session: ThisSession) -> Person:
    """The person of this session and what they may do."""
    return _person(viewer, session.expires_at)


@router.delete("", status_code=204, summary="Log out", name="log_out")
async def close_session(
    viewer: Viewer, session: ThisSession, data: Data, installation: Installation, now: Now
) -> Response:
    """End this session at once, in every open page of this browser."""
    del viewer
    await log_in.log_out(data, session, current_address.get(), now)
    response = Response(status_code=204)
    clear_session_cookie(response, installation)
    return response


@router.patch("", summary="Choose the language of the pages", name="choose_language")
async def choose_language(
    preferences: Preferences,
    viewer: Viewer,
    session: ThisSession,
    response: Response,
    data: Data,
    doer: Doer,
    installation: Installation,
    now: Now,
) -> Person:
    """Holds from the next page on, also at the next log-in."""
    await log_in.choose_language(data, viewer, preferences.language, doer, now)
    set_language_cookie(response, preferences.language, installation)
    person = _person(viewer, session.expires_at)
    return person.model_copy(update={"language": preferences.language})


@router.put("/password", status_code=204, summary="Change one's own password", name="change_own_password")
async def change_password(
    change: PasswordChange, viewer: Viewer, session: ThisSession, data: Data, doer: Doer, now: Now
) -> Response:
    """The person's other sessions end. A wrong old password counts as a failed log-in."""
    del viewer
    old, new = change.old.get_secret_value(), change.new.get_secret_value()
    await users.change_own_password(data, session, old, new, doer, now)
    return Response(status_code=204)
