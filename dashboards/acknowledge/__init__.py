"""The page behind a message's link: it shows the alarm and asks; its button acknowledges.

Plain HTML outside Dash, since who opens it has no session. Mail scanners open links and press nothing.
"""

from datetime import UTC, datetime
from html import escape

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

from dashboards import fmt
from dashboards.request import current_theme, known_zone
from dashboards.theme.css import stylesheet
from energy_center.api.auth import ACKNOWLEDGE_PAGE, current_address, current_language
from energy_center.api.deps import Data
from energy_center.api.rate_limit import AttemptLimit
from energy_center.domain.alarms import AlarmState
from energy_center.errors import Conflict, NotAllowed, NotFound, TooManyAttempts
from energy_center.i18n.text import text
from energy_center.services.acknowledge_link import Asked, acknowledge_by_link, read_link
from energy_center.services.alarms import AlarmRow
from energy_center.settings import Settings

_PAGE = """<!DOCTYPE html>
<html lang="{language}" data-theme="{theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · {app}</title>
<link rel="icon" href="data:,">
<style>{tokens}</style>
<link rel="stylesheet" href="/login/login.css">
</head>
<body>
<main>
  <div class="card">
    <div class="head">
      <span class="brand-mark" aria-hidden="true"></span>
      <div><h1>{title}</h1><p>{app}</p></div>
    </div>
    {body}
  </div>
</main>
</body>
</html>"""
_UNSEEN = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)


def page(title: str, body: str, language: str) -> str:
    """The page's HTML; `body` is HTML already."""
    return _PAGE.format(
        language=language,
        theme=current_theme.get(),
        title=escape(title),
        app=escape(text("app.name", language)),
        tokens=stylesheet(),
        body=body,
    )


def _facts(row: AlarmRow, database: Data, language: str) -> str:
    priority = text(f"priority.{row.priority.value}", language)
    since = fmt.moment(row.onset_at, known_zone(database), language)
    lines = (
        f"[{priority}] {row.title.in_language(language)}",
        row.equipment_name.in_language(language),
        text("notice.since", language, at=since),
        text(f"alarm_state.{row.state.value}", language),
    )
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def asking(asked: Asked, database: Data) -> str:
    """What the alarm is, and the button, unless there is nothing left to acknowledge."""
    language, row = asked.user.language, asked.alarm
    body = _facts(row, database, language)
    if not asked.is_newest:
        note = f'<p class="notice">{escape(text("ack.newer", language))}</p>'
    elif row.state in _UNSEEN:
        as_whom = escape(text("ack.as_whom", language, name=asked.user.display_name))
        button = escape(text("alarm.acknowledge", language))
        note = f'<p>{as_whom}</p><form method="post"><button type="submit">{button}</button></form>'
    else:
        by = row.acknowledged_by or ""
        note = f'<p class="notice">{escape(text("ack.already", language, who=by))}</p>'
    return page(text("alarm.acknowledge_title", language), body + note, language)


def _refusal(error: Exception) -> Response:
    language = current_language.get()
    key, status = "ack.wrong", 404
    if isinstance(error, TooManyAttempts):
        key, status = "ack.too_many", 429
    elif isinstance(error, NotAllowed):
        key, status = "ack.refused", 403
    body = f'<p class="problem" role="alert">{escape(text(key, language))}</p>'
    return _html(page(text("alarm.acknowledge_title", language), body, language), status)


def _html(content: str, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return HTMLResponse(content, status, headers)


def add_to(app: FastAPI) -> None:
    """Put the page on the app, before any catch-all."""
    path = ACKNOWLEDGE_PAGE + "/{token}"

    async def read(request: Request, token: str) -> Asked:
        """Counted by address, so that nobody can try out links; a good one counts nothing."""
        attempts: AttemptLimit = request.app.state.link_attempts
        settings: Settings = request.app.state.settings
        attempts.take(current_address.get(), datetime.now(UTC))
        asked = await read_link(request.app.state.database, settings.key(), token)
        attempts.give_back(current_address.get())
        return asked

    @app.get(path, include_in_schema=False, name="ask_to_acknowledge")
    async def ask(request: Request, token: str) -> Response:
        try:
            asked = await read(request, token)
        except (NotFound, NotAllowed) as error:
            return _refusal(error)
        return _html(asking(asked, request.app.state.database))

    @app.post(path, include_in_schema=False, name="acknowledge_by_link")
    async def press(request: Request, token: str) -> Response:
        settings: Settings = request.app.state.settings
        database: Data = request.app.state.database
        try:
            asked = await read(request, token)
            now, address = datetime.now(UTC), current_address.get()
            row = await acknowledge_by_link(database, settings.key(), token, address, now)
        except Conflict:
            return _html(asking(await read(request, token), database), 409)
        except (NotFound, NotAllowed) as error:
            return _refusal(error)
        language = asked.user.language
        done = f'<p class="notice" role="status">{escape(text("ack.done", language))}</p>'
        return _html(
            page(text("alarm.done_acknowledge", language), _facts(row, database, language) + done, language)
        )
