"""A place to try a collector in: a temporary folder with a database of its own, and processes started in it.

Nothing is shared with an installation.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from energy_center.cli.processes import Child, start_child, stop_child, wait_for_file
from energy_center.config.bindings import Plant, PointKey
from energy_center.errors import EnvironmentProblem
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database
from energy_center.store.site import apply_site

READY_S = 120.0
ANSWER_S = 30.0
_LONGEST_ANSWER = 64 * 1024**2  # the count of every point comes as one line


class Stand:
    """`open` and `close`; in between processes are started, and spoken to where they have a control port."""

    def __init__(self, purpose: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"energy-center-{purpose}-"))
        self.postgres = EmbeddedPostgres(self.folder)
        self.children: dict[str, Child] = {}
        self._controls: dict[str, tuple[str, int]] = {}
        self._db: Database | None = None

    async def open(self, plant: Plant, text: str) -> None:
        """Start the database and apply a site to it."""
        if os.geteuid() == 0:  # the database runs as another account and must reach its own folder
            self.folder.chmod(0o711)
        self._db = await Database.open(await self.postgres.start(), min_size=0, max_size=2)
        await migrate(self._db)
        await apply_site(self._db, plant.site, text, "stand", datetime.now(UTC))

    async def close(self) -> None:
        """Stop everything, what was started last first, and remove the folder."""
        for child in reversed(self.children.values()):
            await stop_child(child)
        if self._db is not None:
            await self._db.close()
        await self.postgres.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def database(self) -> Database:
        """The database itself, whatever stands before it for others."""
        if self._db is None:
            raise EnvironmentProblem("the stand is not open")
        return self._db

    async def start(
        self, name: str, words: list[str], env: Mapping[str, str] | None = None, log: str | None = None
    ) -> Child:
        """Start a Python module with its arguments; it takes the place of an earlier one of this name."""
        argv = [sys.executable, "-m", *words]
        path = self.folder / (log or f"{name}.log")
        child = await start_child(name, argv, {**os.environ, **(env or {})}, path)
        self.children[name] = child
        return child

    async def start_devices(self, name: str, words: list[str], endpoints: Path) -> None:
        """The same for simulators, until they have written where they and their control port answer."""
        child = await self.start(name, [*words, "--endpoints", str(endpoints)])
        written = json.loads(await wait_for_file(endpoints, child, READY_S))
        self._controls[name] = (written["control"]["host"], int(written["control"]["port"]))

    async def control(self, name: str, **request: object) -> dict[str, object]:
        """One request to simulators."""
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(*self._controls[name], limit=_LONGEST_ANSWER)
            writer.write(json.dumps(request).encode() + b"\n")
            answer = json.loads(await reader.readline())
            writer.close()
        if not isinstance(answer, dict) or not answer.get("ok"):
            raise EnvironmentProblem(f"the {name} answer {answer}")
        return answer


def counts_of(written: object) -> Counter[PointKey]:
    """What simulators count, by equipment and point."""
    if not isinstance(written, dict):
        raise EnvironmentProblem("the simulators do not say what they sent")
    return Counter({(k.partition("/")[0], k.partition("/")[2]): int(n) for k, n in written.items()})
