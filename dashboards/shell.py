"""What stands around every page: header, menus, connection banner, and the stores that scripts fill."""

import json
from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from energy_center.domain.people import User
from energy_center.i18n.text import text

_KEYS = (
    ("g o", "go_overview"),
    ("g a", "go_alarms"),
    ("g e", "go_equipment"),
    ("g w", "go_work_orders"),
    ("/", "search"),
    ("j k", "move"),
    ("Enter", "open"),
    ("a", "acknowledge"),
    ("s", "shelve"),
    ("Esc", "leave"),
    ("?", "help"),
)
_AGE_UNITS = ("seconds", "minutes", "hours", "days")


def _link(page_path: str, label: str, icon: str, badge_id: str = "") -> Component:
    badge = [html.Span("", className="count", id=badge_id, hidden=True)] if badge_id else []
    return dcc.Link(
        [html.Span("", className=f"icon icon-{icon}", **{"aria-hidden": "true"}), html.Span(label), *badge],
        href=page_path,
        className="nav-link",
    )


def _links(entries: Sequence[tuple[str, str, str]], language: str, where: str) -> list[Component]:
    return [
        _link(path, text(title, language), icon, f"shell-{where}-alarm-count" if path == "/alarms" else "")
        for path, title, icon in entries
    ]


def language_switch(language: str) -> Component:
    """Both languages by their own names; the present one is pressed."""
    buttons = [
        html.Button(
            text(key, language),
            type="button",
            lang=code,
            className="segment",
            **{"data-set-language": code, "aria-pressed": str(code == language).lower()},
        )
        for code, key in (("zh-TW", "shell.language_zh"), ("en", "shell.language_en"))
    ]
    return html.Div(
        buttons, className="segments", role="group", **{"aria-label": text("shell.language_label", language)}
    )


def theme_button(language: str) -> Component:
    """Switches between light and dark."""
    label = text("shell.theme_label", language)
    return html.Button(
        html.Span("", className="icon icon-theme", **{"aria-hidden": "true"}),
        type="button",
        className="icon-button",
        title=label,
        **{"data-toggle-theme": "1", "aria-label": label},
    )


def help_button(language: str) -> Component:
    """Opens the list of keys."""
    label = text("help.title", language)
    return html.Button(
        "?", type="button", className="icon-button", title=label, **{"data-help": "1", "aria-label": label}
    )


def _help(language: str) -> Component:
    """The keys, and the switch that turns single letters off (WCAG 2.1, 2.1.4)."""
    rows = [
        part
        for keys, key in _KEYS
        for part in (
            html.Dt([html.Kbd(k) for k in keys.split()]),
            html.Dd(text(f"help.{key}", language)),
        )
    ]
    return html.Dialog(
        [
            html.H2(text("help.title", language)),
            html.Dl(rows, className="keys"),
            html.Button(
                text("help.single", language), type="button", id="shell-keys", className="button",
                role="switch", **{"aria-checked": "true"},
            ),
            _close(language),
        ],
        id="shell-help",
        className="dialog",
    )  # fmt: skip


def _explain(language: str) -> Component:
    """Filled by a script with how a figure is made."""
    return html.Dialog(
        [
            html.H2(text("how.title", language)),
            html.P("", id="shell-explain-name", className="strong"),
            html.Div("", id="shell-explain-body"),
            _close(language),
        ],
        id="shell-explain",
        className="dialog",
        **{"aria-label": text("how.title", language)},
    )


def _close(language: str) -> Component:
    button = html.Button(text("help.close", language), type="submit", className="button primary")
    return html.Form(button, className="closing", **{"data-close": "1"})


def log_out_button(language: str) -> Component:
    """Ends the session."""
    return html.Button(
        text("shell.log_out", language), type="button", className="quiet", **{"data-log-out": "1"}
    )


def who(user: User, language: str) -> Component:
    """The person and their role."""
    return html.Div(
        [
            html.Span(user.display_name, className="name"),
            html.Span(text(f"role_name.{user.role.value}", language), className="role"),
        ],
        className="who",
        title=text("shell.user_label", language),
    )


def _header(user: User | None, language: str, entries: Sequence[tuple[str, str, str]]) -> Component:
    return html.Header(
        [
            dcc.Link(
                [html.Span("", className="brand-mark"), html.Span(text("app.name", language))],
                href="/",
                className="brand",
            ),
            html.Nav(
                _links(entries, language, "menu"),
                className="menu",
                **{"aria-label": text("nav.label", language)},
            ),
            html.Div("", className="spacer"),
            html.Div(
                [
                    html.Span("", className="pulse", **{"aria-hidden": "true"}),
                    html.Span(text("shell.live", language), className="live-word"),
                    html.Time("", id="shell-clock", title=text("shell.clock_label", language)),
                ],
                className="live-state",
                title=text("shell.live_title", language),
            ),
            html.Div(
                [
                    language_switch(language),
                    theme_button(language),
                    help_button(language),
                    *([who(user, language), log_out_button(language)] if user else []),
                ],
                className="tools",
            ),
        ],
        className="top",
    )


def shell(
    user: User | None,
    language: str,
    zone: str,
    menu: Sequence[tuple[str, str, str]],
    phone: Sequence[tuple[str, str, str]],
) -> Component:
    """The frame; `menu` and `phone` are (path, title key, icon)."""
    return html.Div(
        [
            html.A(text("app.skip", language), href="#shell-content", className="skip"),
            dcc.Location(id="shell-url", refresh="callback-nav"),
            dcc.Store(id="live", data=None),
            dcc.Store(id="shell-view", data=None),
            dcc.Store(id="shell-alarms", data=0),
            dcc.Store(id="shell-orders", data=0),
            dcc.Store(id="shell-progress", data=0),
            _header(user, language, menu),
            html.Div("", id="shell-banner", className="banner", role="status", hidden=True),
            html.Main(
                html.Div(
                    html.Div(text("app.loading", language), className="skeleton"),
                    id="shell-page",
                    className="page",
                ),
                id="shell-content",
                tabIndex="-1",
            ),
            html.Nav(
                _links(phone, language, "phone"),
                className="bottom-bar",
                **{"aria-label": text("nav.label", language)},
            ),
            _help(language),
            _explain(language),
            html.Div("", id="shell-toast", className="toast", role="status", **{"aria-live": "polite"}),
        ],
        id="shell",
        **{
            "data-zone": zone,
            "data-disconnected": text("shell.disconnected", language, age="%AGE%"),
            "data-away": text("shell.away", language, age="%AGE%"),
            "data-silent": text("shell.silent", language, age="%AGE%"),
            "data-later": text("shell.later", language),
            "data-age-units": json.dumps([text(f"age.{unit}", language, n="") for unit in _AGE_UNITS]),
        },
    )
