"""A person's own contacts: where alarms reach them, when not, and whether a test message got through."""

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components import states
from dashboards.components.notice_tabs import field, notice_head, one_button
from dashboards.components.still import still
from dashboards.request import PageRequest
from energy_center.domain.alarms import Priority
from energy_center.domain.notices import Contact, Digest
from energy_center.services.contacts import ContactRow, Tried, list_contacts

_HOURS = range(24)


async def draw(request: PageRequest) -> Component:
    """The contacts, and a form for one more."""
    rows = await list_contacts(request.database, request.user)
    shown = (
        [_card(row, request) for row in rows]
        if rows
        else [
            html.Div(
                states.empty(request.t("contact.none"), request.t("contact.none_hint")), className="panel"
            )
        ]
    )
    return html.Div(
        [
            notice_head(request, "/contacts"),
            still(
                html.Div([html.Div(shown, className="notice-list"), _new(request)], className="notice-page")
            ),
        ]
    )


def _card(row: ContactRow, request: PageRequest) -> Component:
    contact, t = row.contact, request.t
    api = f"/api/v1/contacts/{contact.contact_id}"
    return html.Section(
        [
            html.Div(
                [html.H2(contact.label), html.Span(contact.shown, className="code")], className="block-head"
            ),
            html.P(_when(contact, request)),
            _outcome(row.tried, request),
            html.Div(
                [
                    one_button(
                        request, t("contact.test"), f"{api}/test", done=t("contact.tested"), primary=True
                    ),
                    one_button(request, t("contact.remove"), api, method="DELETE", done=t("contact.removed")),
                ],
                className="actions",
            ),
            html.Details(
                [
                    html.Summary(t("contact.change")),
                    _form(request, api, "PUT", contact, str(contact.contact_id)),
                ],
                id=f"contact-change-{contact.contact_id}",
            ),
        ],
        className="panel spaced",
        **{"data-contact": str(contact.contact_id)},
    )


def _when(contact: Contact, request: PageRequest) -> str:
    t = request.t
    parts = [t("contact.from", priority=t(f"priority.{contact.least_priority.value}"))]
    if contact.quiet_from is not None and contact.quiet_to is not None:
        start, end = contact.quiet_from.strftime("%H:%M"), contact.quiet_to.strftime("%H:%M")
        parts.append(t("contact.quiet", start=start, end=end))
    if contact.digest is not Digest.NONE:
        parts.append(f"{t(f'contact.digests.{contact.digest.value}')} {contact.digest_hour:02d}:00")
    return " · ".join(parts)


def _outcome(tried: Tried | None, request: PageRequest) -> Component:
    t = request.t
    if tried is None:
        return html.P(t("contact.never_tried"), className="faint")
    at = fmt.moment(tried.at, request.zone, request.language)
    if tried.sent_at is not None:
        return html.P(t("contact.arrived", at=at), className="good-news")
    if tried.problem is not None:
        return html.P(t("contact.failed", at=at, problem=tried.problem), className="mistakes")
    return html.P(t("contact.waiting", at=at), className="faint")


def _new(request: PageRequest) -> Component:
    return html.Section(
        [
            html.H2(request.t("contact.add")),
            html.P(request.t("contact.address_hint"), className="small-print"),
            _form(request, "/api/v1/contacts", "POST", None, "new"),
        ],
        className="panel spaced",
    )


def _form(request: PageRequest, api: str, method: str, contact: Contact | None, key: str) -> Component:
    t = request.t
    address = dcc.Input(
        id=f"contact-address-{key}", name="address", type="text", required=True, maxLength=1000,
        placeholder=t("contact.address_example"), autoComplete="off",
    )  # fmt: skip
    least = contact.least_priority if contact else Priority.LOW
    digest = contact.digest if contact else Digest.NONE
    hour = contact.digest_hour if contact else 8
    quiet_from = contact.quiet_from.strftime("%H:%M") if contact and contact.quiet_from else ""
    quiet_to = contact.quiet_to.strftime("%H:%M") if contact and contact.quiet_to else ""
    label = dcc.Input(name="label", type="text", maxLength=60, value=contact.label if contact else "")
    return html.Form(
        [
            *([] if contact else [field("wide", t("contact.address"), address)]),
            field("wide", t("contact.label"), label),
            field(
                "wide",
                t("contact.least"),
                _select(
                    "least_priority", [(p.value, t(f"priority.{p.value}")) for p in Priority], least.value
                ),
            ),
            field(
                "half", t("contact.quiet_from"), dcc.Input(name="quiet_from", type="time", value=quiet_from)
            ),
            field("half", t("contact.quiet_to"), dcc.Input(name="quiet_to", type="time", value=quiet_to)),
            field(
                "half",
                t("contact.digest"),
                _select("digest", [(d.value, t(f"contact.digests.{d.value}")) for d in Digest], digest.value),
            ),
            field(
                "half",
                t("contact.digest_hour"),
                _select("digest_hour", [(str(h), f"{h:02d}:00") for h in _HOURS], str(hour)),
            ),
            html.Button(
                t("contact.save") if contact else t("contact.add"), type="submit", className="button primary"
            ),
        ],
        className="fields",
        **{"data-api": api, "data-method": method, "data-done": t("on_call.saved"), "data-redraw": "1"},
    )


def _select(name: str, options: list[tuple[str, str]], chosen: str) -> Component:
    return html.Select(
        [html.Option(words, value=value, selected=value == chosen) for value, words in options], name=name
    )
