"""The log-in page: plain HTML with a form that works with password managers and screen readers.

It stands outside Dash, since every file of Dash needs a session; its own files are under `/login/`.
"""

from html import escape
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from dashboards.request import current_theme
from dashboards.theme.css import stylesheet
from energy_center.api.auth import current_language, current_user
from energy_center.api.cookies import set_language_cookie
from energy_center.i18n.text import LANGUAGES, text
from energy_center.settings import Settings

_FILES = Path(__file__).parent
_TYPES = {"login.js": "text/javascript", "login.css": "text/css"}

_PAGE = """<!DOCTYPE html>
<html lang="{language}" data-theme="{theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
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
      <div><h1>{app}</h1><p>{description}</p></div>
    </div>
    {notice}
    <form id="login-form" method="post" action="/api/v1/session" data-next="{next}"
      data-wrong="{wrong}" data-locked="{locked}" data-unreachable="{unreachable}" data-working="{working}">
      <label for="login-name">{name}</label>
      <input id="login-name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false"
        required autofocus maxlength="64">
      <label for="login-password">{password}</label>
      <input id="login-password" name="password" type="password" autocomplete="current-password" required
        maxlength="200">
      <label class="check"><input id="login-show" type="checkbox"> {show}</label>
      <p id="login-problem" class="problem" role="alert"></p>
      <button id="login-submit" type="submit">{submit}</button>
    </form>
    <noscript><p class="problem">{no_script}</p></noscript>
  </div>
  <nav aria-label="{language_label}">{languages}</nav>
</main>
<script src="/login/login.js"></script>
</body>
</html>"""


def own_path(wanted: str | None) -> str:
    """Where to go after logging in: a path of ours, never another site.

    Browsers drop tabs and line ends and read a backslash as a slash, so that `/<tab>/host` would leave.
    """
    path = wanted or ""
    is_ours = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if is_ours else "/"


def page(language: str, theme: str, next_path: str, *, has_ended: bool = False) -> str:
    """The page's HTML."""
    words = {
        key: escape(text(f"login.{key}", language))
        for key in (
            "title",
            "name",
            "password",
            "submit",
            "show",
            "wrong",
            "unreachable",
            "working",
            "no_script",
        )
    }
    ended = (
        f'<p class="notice" role="status">{escape(text("login.ended", language))}</p>' if has_ended else ""
    )
    return _PAGE.format(
        **words,
        locked=escape(text("login.locked_soon", language)),
        language=language,
        theme=theme,
        app=escape(text("app.name", language)),
        description=escape(text("app.description", language)),
        tokens=stylesheet(),
        next=escape(next_path, quote=True),
        notice=ended,
        language_label=escape(text("shell.language_label", language)),
        languages=_languages(language, next_path),
    )


def _languages(present: str, next_path: str) -> str:
    links = []
    for code, key in zip(LANGUAGES, ("shell.language_zh", "shell.language_en"), strict=True):
        now = ' aria-current="true"' if code == present else ""
        target = f"/login?language={code}&next={quote(next_path, safe='')}"
        links.append(
            f'<a lang="{code}" href="{escape(target, quote=True)}"{now}>{escape(text(key, present))}</a>'
        )
    return "".join(links)


def add_to(app: FastAPI) -> None:
    """Put the page and its files on the app, before any catch-all."""

    @app.get("/login", include_in_schema=False, name="login_page")
    async def login_page(
        request: Request,
        next_path: Annotated[str | None, Query(alias="next")] = None,
        language: str | None = None,
        ended: str | None = None,
    ) -> Response:
        if current_user.get() is not None:
            return RedirectResponse(own_path(next_path), status_code=303)
        chosen = language if language in LANGUAGES else current_language.get()
        body = page(chosen, current_theme.get(), own_path(next_path), has_ended=ended is not None)
        response = HTMLResponse(body, headers={"Cache-Control": "no-store"})
        if language in LANGUAGES:
            settings: Settings = request.app.state.settings
            set_language_cookie(response, chosen, settings)
        return response

    @app.get("/login/{name}", include_in_schema=False, name="login_file")
    async def login_file(name: str) -> Response:
        kind = _TYPES.get(name)
        if kind is None:
            return Response(status_code=404)
        return FileResponse(_FILES / name, media_type=kind)
