"""Every process of an installation on free ports: simulated devices, collectors, worker, server."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from energy_center.config.load_site import load_site
from energy_center.domain.people import Actor, UserRole
from energy_center.services.users import create_user
from energy_center.settings import PROJECT_ROOT
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database
from energy_center.store.site import apply_site

DEMO_SITE = PROJECT_ROOT / "energy_center" / "config" / "demo" / "taichung.yaml"
SIMULATED_SITE = PROJECT_ROOT / "simulators" / "sites" / "taichung.yaml"
# An alarm within seconds: in a building the water must stand for two minutes.
SHORT_HOLDS = "\nrules:\n  sump-high-pump-off@ltb-sump-b3: {hold: 4, keep: 5, step: 2}\n"
ACTOR = Actor("system:test", "local")
PASSWORD = "a-password-of-the-browser-tests"
STARTS_WITHIN_S = 120.0


@dataclass
class Stack:
    """`start` returns when live values are in the database and the server answers."""

    dsn: str
    folder: Path
    base_url: str = ""
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def endpoints(self) -> Path:
        """Where the simulators say which ports they took."""
        return self.folder / "endpoints.json"

    async def start(self) -> None:
        """Everything, in order."""
        site_file = self.folder / "site.yaml"
        site_file.write_text(DEMO_SITE.read_text(encoding="utf-8") + SHORT_HOLDS, encoding="utf-8")
        await self._run(
            "simulators", "simulators", "live", "--site", str(SIMULATED_SITE), "--seed", "7",
            "--control", "127.0.0.1:0", "--endpoints", str(self.endpoints),
        )  # fmt: skip
        database = await Database.open(self.dsn, min_size=1, max_size=2)
        try:
            await migrate(database)
            now = datetime.now(UTC)
            site = load_site(site_file).site
            await apply_site(database, site, site_file.read_text(encoding="utf-8"), ACTOR.name, now)
            for role in UserRole:
                await create_user(
                    database, role.value, role.value.capitalize(), role, PASSWORD, ACTOR, now, is_demo=True
                )
            await self._until_written(self.endpoints)
            await self._run(
                "collectors", "collectors", "--site", str(site_file), "--endpoints", str(self.endpoints),
                "--state-dir", str(self.folder),
            )  # fmt: skip
            await self._run("worker", "energy_center", "worker", "--rules-interval", "2")
            await self.start_server()
            await self._until_live(database)
        finally:
            await database.close()

    async def start_server(self) -> None:
        """On the port it had before, so that open pages find it again."""
        ready = self.folder / "server.json"
        ready.unlink(missing_ok=True)
        port = self.base_url.rpartition(":")[2] or "0"
        await self._run("server", "energy_center", "serve", "--port", port, "--ready-file", str(ready))
        await self._until_written(ready)
        self.base_url = f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"

    async def kill_server(self) -> None:
        """As a crash does."""
        process = self.processes.pop("server")
        process.kill()
        await process.wait()

    async def stop(self) -> None:
        """In reverse order; whoever does not go in ten seconds is killed."""
        for process in reversed(list(self.processes.values())):
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(list(self.processes.values())):
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def control(self, **request: Any) -> dict[str, Any]:
        """One request to the simulators."""
        at = json.loads(self.endpoints.read_text())["control"]
        reader, writer = await asyncio.open_connection(at["host"], at["port"])
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            answer: dict[str, Any] = json.loads(await reader.readline())
        finally:
            writer.close()
            await writer.wait_closed()
        assert answer["ok"], answer
        return answer

    async def _run(self, name: str, module: str, *arguments: str) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": self.dsn,
            "ENERGY_CENTER_MODE": "demo",
            "ENERGY_CENTER_SECRET": "of-the-browser-tests-only-" * 2,
            "ENERGY_CENTER_STATE_DIR": str(self.folder),
            "ENERGY_CENTER_SITE_FILE": str(self.folder / "site.yaml"),
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, *arguments,
                cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log,
            )  # fmt: skip

    async def _until_written(self, path: Path) -> None:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not path.exists():
                self._nobody_ended()
                await asyncio.sleep(0.1)

    async def _until_live(self, database: Database) -> None:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while True:
                async with database.connection() as connection:
                    if await connection.fetchval("SELECT count(*) FROM latest") > 1_000:
                        return
                self._nobody_ended()
                await asyncio.sleep(0.2)

    def _nobody_ended(self) -> None:
        for name, process in self.processes.items():
            if process.returncode is not None:
                log = (self.folder / f"{name}.log").read_text(encoding="utf-8")
                message = f"{name} ended with {process.returncode}:\n{log[-3000:]}"
                raise AssertionError(message)
