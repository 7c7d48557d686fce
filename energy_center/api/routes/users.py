"""Accounts, for administrators."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from energy_center.api.deps import Administrator, Data, Doer, Now
from energy_center.api.fields import Limit, Line
from energy_center.domain.people import UserRole
from energy_center.services import users
from energy_center.services.users import Account

router = APIRouter(prefix="/users", tags=["administration"])

UserName = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="The account's name.", examples=["lin"])
]


class AccountOut(BaseModel):
    """An account as administrators see it."""

    name: str = Field(examples=["lin"])
    display_name: str = Field(examples=["林小姐"])
    role: UserRole
    language: str
    is_demo: bool
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None
    failed_logins: int = Field(description="In a row, since the last success.")


class NewAccount(BaseModel):
    """A person to be added."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "lin", "display_name": "林小姐", "role": "operator", "password": "a long passphrase"}
            ]
        }
    )

    name: Line = Field(max_length=64)
    display_name: Line = Field(max_length=100)
    role: UserRole
    password: SecretStr = Field(max_length=200)
    language: Literal["zh-TW", "en"] = "zh-TW"


class AccountChange(BaseModel):
    """What to change; what is left out stays."""

    role: UserRole | None = None
    disabled: bool | None = None


class NewPassword(BaseModel):
    """A new password for somebody."""

    password: SecretStr = Field(max_length=200)


def _shown(account: Account) -> AccountOut:
    return AccountOut(
        name=account.user.name,
        display_name=account.user.display_name,
        role=account.user.role,
        language=account.user.language,
        is_demo=account.user.is_demo,
        created_at=account.created_at,
        disabled_at=account.disabled_at,
        locked_until=account.locked_until,
        failed_logins=account.failed_logins,
    )


@router.get("", summary="List accounts", name="list_users")
async def list_users(_: Administrator, data: Data, limit: Limit = 200) -> list[AccountOut]:
    """Accounts by name, disabled ones too."""
    return [_shown(account) for account in await users.list_users(data, limit)]


@router.post("", status_code=201, summary="Add an account", name="create_user")
async def create_user(_: Administrator, account: NewAccount, data: Data, doer: Doer, now: Now) -> AccountOut:
    """Passwords that are easily guessed are refused (422), a taken name too (409)."""
    password = account.password.get_secret_value()
    user = await users.create_user(
        data, account.name, account.display_name, account.role, password, doer, now, language=account.language
    )
    return _shown(Account(user, now, None, None, 0))


@router.patch("/{name}", summary="Change a role, disable or enable an account", name="change_user")
async def change_user(
    _: Administrator, name: UserName, change: AccountChange, data: Data, doer: Doer, now: Now
) -> AccountOut:
    """A disabled account's sessions end at once. The last administrator stays one (409)."""
    return _shown(await users.change_user(data, name, doer, now, role=change.role, disabled=change.disabled))


@router.put("/{name}/password", status_code=204, summary="Give somebody a new password", name="set_password")
async def set_password(
    _: Administrator, name: UserName, new: NewPassword, data: Data, doer: Doer, now: Now
) -> Response:
    """The person's sessions end."""
    await users.set_password(data, name, new.password.get_secret_value(), doer, now)
    return Response(status_code=204)
