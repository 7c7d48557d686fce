"""What a channel carries, and what every channel can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one recipient; `outbox_id` lets a receiver drop one that was sent twice."""

    outbox_id: int
    at: datetime
    recipient: str
    subject: str
    body: str
    alarm_id: int | None


class Channel(Protocol):
    """A way to reach people."""

    async def send(self, message: Message) -> None:
        """Hand the message over, or raise `NotDelivered`."""


Channels = Mapping[str, Channel]
