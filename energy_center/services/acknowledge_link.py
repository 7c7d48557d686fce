"""Acknowledging an alarm from a message: a signed link for one person and one time that the alarm stood up.

Opening it only asks; the press of the button acknowledges, since mail scanners open every link.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from pydantic import SecretStr

from energy_center.domain.people import Actor, Permission, User
from energy_center.errors import NotAllowed, NotFound
from energy_center.i18n.text import text
from energy_center.services.alarms import AlarmRow, acknowledge, get_alarm
from energy_center.settings import Settings
from energy_center.store import notices, users
from energy_center.store.notices import ToldOf
from energy_center.store.pool import Database

VALID = timedelta(hours=24)
_PURPOSE = "acknowledge-alarm"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link asks for, as far as it still holds."""

    user: User
    alarm: AlarmRow
    is_newest: bool


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of messages; `base` is where people reach the pages."""

    base: str
    key: SecretStr

    @classmethod
    def of(cls, settings: Settings) -> "Links | None":
        """None while the installation does not say where its pages are reached."""
        return cls(settings.public_url.rstrip("/"), settings.key()) if settings.public_url else None

    def lines(self, told: ToldOf) -> list[str]:
        """The lines that a message ends with."""
        token = make_token(self.key, told)
        page, link = f"{self.base}/alarms/{told.alarm_id}", f"{self.base}/ack/{token}"
        return [
            f"{text('notice.page', told.language)} {page}",
            f"{text('notice.acknowledge', told.language, hours=VALID // timedelta(hours=1))} {link}",
        ]


def make_token(key: SecretStr, told: ToldOf) -> str:
    """The signed part of a link."""
    return _signer(key).dumps([told.alarm_id, told.episode, told.user])


async def read_link(db: Database, key: SecretStr, token: str) -> Asked:
    """Who may acknowledge what by this link.

    Raises NotFound for a link that we did not make, NotAllowed for one that has expired or whose person
    may not acknowledge (any more).
    """
    alarm_id, episode, name = _read(key, token)
    async with db.connection() as conn:
        account = await users.find_account(conn, name)
        newest = await notices.latest_episode(conn, alarm_id)
    if account is None or account.disabled_at is not None:
        raise NotAllowed("The account of this link is disabled")
    if not account.user.may(Permission.ACKNOWLEDGE_ALARM):
        raise NotAllowed("The person of this link may not acknowledge alarms")
    return Asked(account.user, (await get_alarm(db, alarm_id)).row, newest == episode)


async def acknowledge_by_link(
    db: Database, key: SecretStr, token: str, address: str, now: datetime
) -> AlarmRow:
    """Acknowledge as the person of the link, audited with the address that the request came from.

    Raises as `read_link`; Conflict when it was acknowledged before; NotAllowed when the alarm has
    stood up anew since.
    """
    asked = await read_link(db, key, token)
    if not asked.is_newest:
        raise NotAllowed("The alarm has returned since and stood up anew; there is a newer message")
    comment = text("notice.by_link", asked.user.language)
    return await acknowledge(db, asked.alarm.alarm_id, Actor(asked.user.name, address), comment, now)


def _signer(key: SecretStr) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key.get_secret_value(), salt=_PURPOSE)


def _read(key: SecretStr, token: str) -> tuple[int, int, str]:
    try:
        held: Any = _signer(key).loads(token, max_age=round(VALID.total_seconds()))
    except SignatureExpired as late:
        raise NotAllowed("The link has expired") from late
    except BadSignature as wrong:
        raise NotFound("The link is not one of ours") from wrong
    alarm_id, episode, name = held
    return int(alarm_id), int(episode), str(name)
