"""Bills of a building: a month line by line, the best contract, other tariffs, the utility's bill."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.components import states
from dashboards.pages.bills.bill import draw_bill
from dashboards.pages.bills.check import draw_check
from dashboards.pages.bills.contract import draw_contract
from dashboards.pages.bills.what_if import draw_what_if
from dashboards.request import PageRequest
from energy_center.domain.site import Space
from energy_center.domain.timeline import next_month
from energy_center.errors import Invalid, NotFound
from energy_center.services.current_site import current_site

Draw = Callable[[PageRequest, str, str], Awaitable[Component]]
_EARLIEST = date(2000, 1, 1)  # no reading is older
VIEWS: Mapping[str, Draw] = {
    "bill": draw_bill,
    "contract": draw_contract,
    "what_if": draw_what_if,
    "check": draw_check,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    building: str
    month: date
    view: str

    def href(self, **changes: str) -> str:
        """This page with something else chosen."""
        chosen = {"building": self.building, "month": f"{self.month:%Y-%m}", "view": self.view} | changes
        return f"/bills?{urlencode(chosen)}"


async def draw(request: PageRequest) -> Component:
    """Heading with building, month and view; below it the view, or why there is none."""
    buildings = [s for s in (await current_site(request.database)).buildings if s.attributes.get("tariff")]
    if not buildings:
        return html.Div(
            [
                html.H1(request.t("bill.title")),
                states.empty(request.t("bill.none"), request.t("bill.none_hint")),
            ]
        )
    asked = _asked(request, buildings)
    try:
        shown = await VIEWS[asked.view](request, asked.building, f"{asked.month:%Y-%m}")
    except (NotFound, Invalid) as problem:
        shown = html.Div(states.empty(request.t("bill.cannot"), problem.message), className="panel")
    return html.Div([_head(request, asked, buildings), shown], className="bill-page")


def _asked(request: PageRequest, buildings: list[Space]) -> _Asked:
    """What the address says; what it does not, or says wrongly, is the first building and the last month."""
    ids = [space.space_id for space in buildings]
    building = request.query.get("building", "")
    today = request.now.astimezone(request.zone).date()
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    try:
        named = date.fromisoformat(f"{request.query.get('month', '')}-01")
        month = min(max(named, _EARLIEST), today.replace(day=1))
    except ValueError:
        pass
    view = request.query.get("view", "bill")
    return _Asked(building if building in ids else ids[0], month, view if view in VIEWS else "bill")


def _head(request: PageRequest, asked: _Asked, buildings: list[Space]) -> Component:
    before, after = asked.month - timedelta(days=1), next_month(asked.month)
    is_last = after > request.now.astimezone(request.zone).date()
    return html.Div(
        [
            html.H1(request.t("bill.title")),
            _segments(
                [
                    (
                        space.name.in_language(request.language),
                        asked.href(building=space.space_id),
                        space.space_id,
                    )
                    for space in buildings
                ],
                asked.building,
                request.t("bill.building"),
            ),
            html.Nav(
                [
                    dcc.Link(
                        "‹",
                        href=asked.href(month=f"{before:%Y-%m}"),
                        className="segment",
                        title=request.t("bill.earlier"),
                    ),
                    html.Span(f"{asked.month:%Y-%m}", className="segment on"),
                    html.Span("›", className="segment")
                    if is_last
                    else dcc.Link(
                        "›",
                        href=asked.href(month=f"{after:%Y-%m}"),
                        className="segment",
                        title=request.t("bill.later"),
                    ),
                ],
                className="segments",
                **{"aria-label": request.t("bill.month")},
            ),
            _segments(
                [(request.t(f"bill.view.{view}"), asked.href(view=view), view) for view in VIEWS],
                asked.view,
                request.t("bill.views"),
            ),
        ],
        className="page-head",
    )


def _segments(choices: list[tuple[str, str, str]], chosen: str, label: str) -> Component:
    return html.Nav(
        [
            dcc.Link(words, href=href, className="segment" + (" on" if key == chosen else ""))
            for words, href, key in choices
        ],
        className="segments",
        **{"aria-label": label},
    )
