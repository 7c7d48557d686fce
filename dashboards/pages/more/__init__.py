"""What has no place in the phone's bottom bar: work orders, language, theme, log-out."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.request import PageRequest
from dashboards.shell import language_switch, log_out_button, theme_button, who


async def draw(request: PageRequest) -> Component:
    """A list of large targets."""
    return html.Div(
        [
            html.H1(request.t("shell.more_title")),
            html.Div(
                [
                    html.Div(who(request.user, request.language), className="more-row"),
                    dcc.Link(
                        [
                            html.Span("", className="icon icon-work_orders", **{"aria-hidden": "true"}),
                            html.Span(request.t("nav.work_orders")),
                        ],
                        href="/work-orders",
                        className="more-row",
                    ),
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
