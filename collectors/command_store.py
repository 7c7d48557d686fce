"""Requested writes in the database, as the collector sees them; every change is audited with it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from energy_center.domain.commands import Command, CommandState
from energy_center.domain.people import Actor
from energy_center.store import audit
from energy_center.store import commands as store
from energy_center.store.listen import listen
from energy_center.store.on_demand import OnDemand
from energy_center.store.site import APPLIED

WHO = Actor("system:collector", "local")
MOST_AT_ONCE = 500


class DatabaseCommands:
    """Commands in PostgreSQL; raises DatabaseAway while it cannot be reached."""

    def __init__(self, dsn: str | None) -> None:
        """Nothing is opened yet."""
        self._opened = OnDemand(dsn, max_size=1, command_s=10.0)

    async def due(self, now: datetime) -> Sequence[Command]:
        """What is to be written, looked at again or ended, oldest first."""
        async with (await self._opened.database()).connection() as conn:
            return await store.due_commands(conn, now, MOST_AT_ONCE)

    async def change(
        self, command: Command, change: Callable[[Command], Command], now: datetime, pause_s: float = 0.0
    ) -> Command | None:
        """Change a command that is still open; a change of its state, or of what overrules it, is audited."""
        async with (await self._opened.database()).transaction() as conn:
            held = await store.lock_command(conn, command.command_id)
            if held is None or not held.state.is_open:
                return None
            after = change(held)
            await store.update_command(conn, after, now + timedelta(seconds=pause_s))
            await store.notify_commands(conn, command.command_id)
            action = _audited(held, after, now)
            if action is not None:
                subject = f"command/{command.command_id}"
                await audit.append(conn, WHO, action, subject, _facts(held), _facts(after), now)
        return after

    async def wait_for_requests(self, wake: Callable[[], None], site_applied: Callable[[], None]) -> None:
        """Call `wake` whenever a command was requested or cancelled, and the other for a site; for ever."""
        if self._opened.dsn is None:
            await asyncio.Event().wait()
            return
        async for channel, _ in listen(self._opened.dsn, [store.CHANNEL, APPLIED]):
            (site_applied if channel == APPLIED else wake)()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._opened.close()


def _audited(before: Command, after: Command, now: datetime) -> str | None:
    """What a change is called in the audit; None for steps between."""
    if after.state is not before.state:
        return None if after.state is CommandState.WRITING else f"command.{after.state.value}"
    if after.state is CommandState.ACTIVE and not after.ends(now) and after.detail != before.detail:
        return "command.overruled" if after.detail else "command.in_force"
    return None


def _facts(command: Command) -> dict[str, object]:
    return {
        "point": "/".join(command.key),
        "wanted": command.wanted,
        "state": command.state.value,
        "read_back": command.read_back,
        "detail": command.detail,
    }
