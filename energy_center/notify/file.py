"""Messages as JSON lines in a file, for demos and for programs that watch it."""

import asyncio
import json
import os
from pathlib import Path

from energy_center.errors import NotDelivered
from energy_center.notify.message import Message


class FileChannel:
    """Appends to one file, which is made when needed."""

    def __init__(self, path: Path) -> None:
        """Write to `path`."""
        self._path = path

    async def send(self, message: Message) -> None:
        """Append one line and bring it to the disk."""
        try:
            await asyncio.to_thread(self._append, message)
        except OSError as cause:
            raise NotDelivered(f"Cannot write {self._path}: {cause}") from cause

    def _append(self, message: Message) -> None:
        line = {
            "outbox_id": message.outbox_id,
            "at": message.at.isoformat(),
            "recipient": message.recipient,
            "subject": message.subject,
            "body": message.body,
            "alarm_id": message.alarm_id,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
