"""The tabs of the pages about who is told."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.request import PageRequest

_TABS = (("/contacts", "contact.title"), ("/on-call", "on_call.title"), ("/notifications", "told.title"))


def notice_head(request: PageRequest, here: str) -> Component:
    """The heading of one of the pages with the way to the others."""
    title = next(key for path, key in _TABS if path == here)
    tabs = [
        dcc.Link(request.t(key), href=path, className="segment" + (" on" if path == here else ""))
        for path, key in _TABS
    ]
    label = request.t("nav.notifications")
    return html.Div(
        [
            html.H1(request.t(title)),
            html.Div(tabs, className="segments", role="group", **{"aria-label": label}),
        ],
        className="page-head",
    )


def field(name: str, label: str, control: Component) -> Component:
    """A control under its label."""
    return html.Label([html.Span(label), control], className=f"field field-{name}")


def one_button(
    request: PageRequest,
    words: str,
    api: str,
    *,
    method: str = "POST",
    body: str = "{}",
    done: str = "",
    primary: bool = False,
) -> Component:
    """A form that is only its button, and after which the page is drawn anew."""
    return html.Form(
        html.Button(words, type="submit", className="button primary" if primary else "button"),
        className="inline",
        **{
            "data-api": api,
            "data-method": method,
            "data-body": body,
            "data-done": done or request.t("on_call.saved"),
            "data-redraw": "1",
        },
    )
