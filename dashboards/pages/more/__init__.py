"""What has no place in the phone's bottom bar: who one is, devices, bills, language, theme, log-out."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.request import PageRequest
from dashboards.shell import language_switch, log_out_button, theme_button, who


async def draw(request: PageRequest) -> Component:
    """A list of large targets."""
    return html.Div(
        [
            html.Div(html.H1(request.t("shell.more_title")), className="page-head"),
            html.Div(
                [
                    html.Div(who(request.user, request.language), className="more-row"),
                    _link("/bills", "bills", request),
                    _link("/suggestions", "suggestions", request),
                    _link("/measures", "measures", request),
                    _link("/duties", "duties", request),
                    _link("/on-call", "notifications", request),
                    _link("/devices", "devices", request),
                    _link("/rules", "rules", request),
                    html.Div(
                        [html.Span(request.t("shell.language_label")), language_switch(request.language)],
                        className="more-row",
                    ),
                    html.Div(
                        [html.Span(request.t("shell.theme_label")), theme_button(request.language)],
                        className="more-row",
                    ),
                    html.Div(log_out_button(request.language), className="more-row"),
                ],
                className="panel more",
            ),
        ]
    )


def _link(href: str, name: str, request: PageRequest) -> Component:
    return dcc.Link(
        [
            html.Span("", className=f"icon icon-{name}", **{"aria-hidden": "true"}),
            html.Span(request.t(f"nav.{name}")),
        ],
        href=href,
        className="more-row",
    )
