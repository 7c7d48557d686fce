"""Messages leave the outbox at least once, and a failing channel does not lose them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from energy_center.errors import NotDelivered
from energy_center.notify.apprise import AppriseChannel
from energy_center.notify.file import FileChannel
from energy_center.notify.message import Channels, Message
from energy_center.services.tell_people import LONGEST_PAUSE, deliver_due, pause_after
from energy_center.store import outbox
from energy_center.store.pool import Database

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


class Flaky:
    """Refuses the first messages, then takes them."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken: list[Message] = []

    async def send(self, message: Message) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise NotDelivered("line busy")
        self.taken.append(message)


async def _put(database: Database, *channels: str) -> None:
    async with database.transaction() as conn:
        for channel in channels:
            await outbox.put(
                conn,
                channel=channel,
                recipient="operators",
                subject="警報",
                body="b",
                alarm_id=None,
                now=NOW,
            )


async def test_a_message_goes_out_once_and_is_logged(database: Database, tmp_path: Path) -> None:
    await _put(database, "file")
    channels: Channels = {"file": FileChannel(tmp_path / "state" / "notifications.jsonl")}
    assert await deliver_due(database, channels, NOW) == 1
    assert await deliver_due(database, channels, NOW) == 0
    (line,) = (tmp_path / "state" / "notifications.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["subject"] == "警報"
    (row,) = await outbox.told(database)
    assert (row.sent_at, row.attempts) == (NOW, 1)


async def test_a_failing_channel_is_tried_later_and_holds_up_no_other(database: Database) -> None:
    await _put(database, "broken", "good")
    broken, good = Flaky(1), Flaky(0)
    channels: Channels = {"broken": broken, "good": good}
    assert await deliver_due(database, channels, NOW) == 1
    assert len(good.taken) == 1
    failed = next(row for row in await outbox.told(database) if row.channel == "broken")
    assert (failed.sent_at, failed.attempts, failed.last_error) == (None, 1, "line busy")
    assert await deliver_due(database, channels, NOW + timedelta(seconds=4)) == 0
    assert await deliver_due(database, channels, NOW + timedelta(seconds=5)) == 1
    assert len(broken.taken) == 1


async def test_a_channel_that_is_not_there_leaves_the_message(database: Database) -> None:
    await _put(database, "pigeon")
    assert await deliver_due(database, {}, NOW) == 0
    (row,) = await outbox.told(database)
    assert row.last_error == "There is no such channel here"


async def test_apprise_hands_a_message_to_a_webhook() -> None:
    taken: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-len")
        )
        taken.append(await reader.readexactly(length))
        status = b"200 OK" if b"good" in head else b"500 No"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    message = Message(1, NOW, "operators", "警報", "坑滿", None)
    async with server:
        await AppriseChannel(SecretStr(f"json://127.0.0.1:{port}/good")).send(message)
        with pytest.raises(NotDelivered):
            await AppriseChannel(SecretStr(f"json://127.0.0.1:{port}/bad")).send(message)
    assert json.loads(taken[0])["title"] == "警報"
    with pytest.raises(NotDelivered):
        await AppriseChannel(SecretStr("no such thing")).send(message)


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause_after(n).total_seconds() for n in (1, 2, 3)] == [5.0, 10.0, 20.0]
    assert pause_after(30) == LONGEST_PAUSE
