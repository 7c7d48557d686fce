"""A page for people while the database is away: the API's guard can then only answer with a document."""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.theme.css import stylesheet
from energy_center.i18n.text import LANGUAGES, text

_AWAY = HTTPStatus.SERVICE_UNAVAILABLE
_RETRY_S = 5
_PAGE = """<!DOCTYPE html>
<html lang="{first}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{retry}">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{tokens}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--page);
  color: var(--text); font: 16px/1.6 var(--font); }}
main {{ max-width: 34em; margin: 24px; padding: 24px 28px; background: var(--surface);
  border: 1px solid var(--line); border-top: 5px solid var(--p2); border-radius: 8px; }}
h1 {{ font-size: 21px; margin: 0; }}
p {{ margin: 4px 0 20px; color: var(--secondary); }}
a {{ display: inline-flex; align-items: center; min-height: 44px; color: var(--accent); }}
</style>
</head>
<body><main role="alert">{parts}</main></body>
</html>"""


def page() -> bytes:
    """Both languages: who reads it cannot be known now. It asks again every few seconds by itself."""
    parts = "".join(
        f'<section lang="{code}"><h1>{text("states.away", code)}</h1><p>{text("states.away_hint", code)}<br>'
        f'<a href="">{text("states.retry", code)}</a></p></section>'
        for code in LANGUAGES
    )
    title = " · ".join(text("states.away", code) for code in LANGUAGES)
    return _PAGE.format(
        first=LANGUAGES[0], retry=_RETRY_S, title=title, tokens=stylesheet(), parts=parts
    ).encode()


class AwayPage:
    """ASGI middleware around everything: 503 for a page that a person opened becomes HTML."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let everything through, but for such an answer."""
        if not _is_navigation(scope):
            await self._app(scope, receive, send)
            return
        replaced = False

        async def send_page(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == _AWAY:
                replaced = True
                body = page()
                headers = MutableHeaders(scope=message)
                del headers["Content-Encoding"]
                headers["Content-Type"] = "text/html; charset=utf-8"
                headers["Content-Length"] = str(len(body))
                headers["Cache-Control"] = "no-store"
                await send(message)
                await send({"type": "http.response.body", "body": body})
            elif not replaced:
                await send(message)

        await self._app(scope, receive, send_page)


def _is_navigation(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(("/api", "/_dash")):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")
