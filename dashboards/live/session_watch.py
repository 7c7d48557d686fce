"""Closes sockets whose session has ended: a socket is only checked when it opens, and outlives a log-out."""

from typing import Any

from energy_center.api.auth import SESSION_ENDED, session_still_open


async def refuse_ended(_socket: Any, _message: Any) -> tuple[int, str] | None:  # noqa: ANN401 Dash's own types
    """A Dash hook: the close code and reason, or None to go on. The browser's heartbeat asks every 30 s."""
    if await session_still_open():
        return None
    return (SESSION_ENDED, "session ended")
