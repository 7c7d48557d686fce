"""What a panel shows when it has nothing, may not, or could not."""

import logging
import secrets

from dash import dcc, html
from dash.development.base_component import Component

from energy_center.i18n.text import text

log = logging.getLogger(__name__)

_RETRY_S = 30


def empty(sentence: str, hint: str = "") -> Component:
    """Nothing to show: why, and the next step."""
    small = [html.Div(hint, className="hint")] if hint else []
    return html.Div([html.Div(sentence), *small], className="state-empty")


def denied(role: str, language: str) -> Component:
    """The person's role is too low."""
    need = text(f"role_name.{role}", language)
    return _message(
        "denied", text("states.denied", language), text("states.denied_hint", language, role=need), language
    )


def not_found(sentence: str, language: str) -> Component:
    """No such page or thing."""
    return _message("missing", sentence, text("states.not_found_hint", language), language)


def failed(error: Exception, language: str) -> Component:
    """Something broke: the reference is also in the log."""
    reference = secrets.token_hex(4)
    log.error("page failed", extra={"action": "page_failed", "reference": reference}, exc_info=error)
    hint = text("states.failed_hint", language, reference=reference)
    return _message("failed", text("states.failed", language), hint, language, _RETRY_S)


def away(language: str) -> Component:
    """The database cannot be reached; the page asks again by itself."""
    return _message("away", text("states.away", language), text("states.away_hint", language), language, 3)


def _message(kind: str, title: str, hint: str, language: str, retry_s: int | None = None) -> Component:
    again = {} if retry_s is None else {"data-refresh-s": str(retry_s)}
    return html.Div(
        [
            html.H1(title),
            html.P(hint),
            dcc.Link(text("states.back_home", language), href="/", className="button"),
        ],
        className=f"state-{kind} message",
        role="alert",
        **again,
    )
