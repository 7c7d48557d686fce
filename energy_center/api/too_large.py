"""A body that is too large is refused with a problem document, not with the framework's bare text."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from energy_center.api.problems import problem

_TOO_LARGE = 413


class SayTooLarge:
    """ASGI middleware around the framework's limit of bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the problem in place of an answer with status 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_said = False

        async def send_problem(message: Message) -> None:
            nonlocal is_said
            if message["type"] == "http.response.start" and message["status"] == _TOO_LARGE:
                is_said = True
                await problem(_TOO_LARGE, "too-large")(scope, receive, send)
            elif not is_said:
                await send(message)

        await self._app(scope, receive, send_problem)
