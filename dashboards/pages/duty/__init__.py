"""One duty that is taken on: its basis, its dates of two years, and the form that records what was done."""

from datetime import date

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import fmt
from dashboards.components.kpi import pair
from dashboards.components.still import still
from dashboards.pages.duties import standing_tag
from dashboards.request import PageRequest
from energy_center.domain.duties import Standing
from energy_center.domain.duty_records import DutyRecord
from energy_center.domain.people import Permission
from energy_center.domain.timeline import local_date
from energy_center.errors import NotFound
from energy_center.services.duties import AdoptedDuty, DueDate, read_adopted

_TO_DO = (Standing.OVERDUE, Standing.IN_GRACE, Standing.OPEN)


async def draw(request: PageRequest) -> Component:
    """Facts on one side, the form and the dates on the other."""
    asked = request.params["adoption_id"]
    today = local_date(request.now, request.zone)
    row = await read_adopted(
        request.database, int(asked) if asked.isdecimal() else 0, today.year - 1, today.year + 2, request.now
    )
    if row is None:
        raise NotFound("There is no such duty.", adoption_id=asked)
    to_do = [at for at in row.dates if at.standing in _TO_DO]
    right = [_dates(row, request)]
    if to_do and request.user.may(Permission.KEEP_DUTIES):
        right.insert(0, _form(row, to_do[0], today, request))
    return html.Div(
        [
            dcc.Link(request.t("duty.back"), href="/duties", className="back"),
            html.Div(
                [
                    html.H1(row.duty.name.in_language(request.language)),
                    html.Span(row.subject_name.in_language(request.language), className="source"),
                ],
                className="page-head",
            ),
            html.Div(
                [html.Div(_facts(row, request), className="left"), html.Div(right, className="right stack")],
                className="detail-page",
            ),
        ]
    )


def _facts(row: AdoptedDuty, request: PageRequest) -> Component:
    t, duty = request.t, row.duty
    papers = "、" if request.language != "en" else ", "
    entries = [
        pair(t("duty.basis"), html.Span(t(f"duty_basis.{duty.basis.value}"))),
        pair(t("duty.source"), html.Span(duty.source.in_language(request.language))),
        pair(t("duty.who"), html.Span(duty.who.in_language(request.language))),
        pair(t("duty.responsible"), html.Span(row.adoption.responsible or "–")),
        pair(t("duty.recurrence"), html.Code(duty.recurrence)),
        pair(
            t("duty.papers"), html.Span(papers.join(t(f"duty_paper.{kind.value}") for kind in duty.evidence))
        ),
    ]
    unconfirmed = [] if duty.is_confirmed else [html.P(t("duty.unconfirmed"), className="notice")]
    return html.Section([html.Div(entries, className="stack facts"), *unconfirmed], className="panel")


def _form(row: AdoptedDuty, at: DueDate, today: date, request: PageRequest) -> Component:
    t, adoption_id = request.t, row.adoption.adoption_id
    fields = [
        _field(
            t("duty.done_on"), dcc.Input(type="text", name="done_on", value=today.isoformat(), required=True)
        ),
        _field(t("duty.done_by"), dcc.Input(type="text", name="done_by", maxLength=100)),
        *(
            _field(
                t("duty.paper_of", kind=t(f"duty_paper.{kind.value}")),
                dcc.Input(type="text", maxLength=200, placeholder=t("duty.reference")),
                kind=kind.value,
            )
            for kind in row.duty.evidence
        ),
        _field(t("duty.note"), html.Textarea(name="note", rows=2, maxLength=2000)),
    ]
    buttons = [html.Button(t("duty.record"), type="submit", className="button primary")]
    if request.user.may(Permission.MANAGE_DUTIES):
        buttons.append(
            html.Button(
                t("duty.waive"),
                type="submit",
                className="button",
                **{"data-name": "is_waived", "data-value": "true"},
            )
        )
    heading = html.H2(t("duty.record_for", due=at.due.due_on.isoformat()))
    form = html.Form(
        [heading, *fields, html.Div(buttons, className="actions")],
        className="act duty-form",
        **{
            "data-api": f"/api/v1/duties/{adoption_id}/records",
            "data-body": f'{{"due_on": "{at.due.due_on.isoformat()}"}}',
            "data-then": f"/duties/{adoption_id}?recorded={{deed_id}}",
            "data-done": t("duty.recorded"),
        },
    )
    return html.Section(still(form), className="panel acts")


def _field(label: str, field: Component, kind: str = "") -> Component:
    parts = [html.Span(label), field]
    if not kind:
        return html.Label(parts, className="field")
    field.__setattr__("className", "paper-reference")
    chooser = dcc.Input(type="file", className="paper-file")
    return html.Div(
        [html.Label(parts, className="field"), chooser], className="paper", **{"data-paper": kind}
    )


def _dates(row: AdoptedDuty, request: PageRequest) -> Component:
    heads = [html.Th(request.t(f"duty.{head}"), scope="col") for head in ("due_on", "standing", "proof")]
    lines = [
        html.Tr(
            [
                html.Td(html.Time(at.due.due_on.isoformat()), style={"white-space": "nowrap"}),
                html.Td(standing_tag(at.standing, request)),
                html.Td(_proof(at.record, request) if at.record else "", className="proof"),
            ]
        )
        for at in row.dates
    ]
    table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(lines)], className="grid")
    return html.Section(
        [html.H2(request.t("duty.dates")), html.Div(still(table), className="scroll")], className="panel"
    )


def _proof(record: DutyRecord, request: PageRequest) -> list[Component]:
    t = request.t
    at = fmt.moment(record.recorded_at, request.zone, request.language)
    told = [html.Span(f"{record.deed.done_on.isoformat()} {record.done_by}".strip())]
    for paper in record.papers:
        name = f"{t(f'duty_paper.{paper.kind.value}')} {paper.reference}".strip()
        if paper.attachment_id is None:
            told.append(html.Span(name, className="source"))
        else:
            told.append(html.A(name, href=f"/api/v1/attachments/{paper.attachment_id}", download=True))
    if record.note:
        told.append(html.Span(record.note, className="source"))
    who = fmt.actor(record.recorded_by, request.language)
    told.append(html.Span(t("alarm.by_at", who=who, at=at), className="source"))
    if request.user.may(Permission.MANAGE_DUTIES):
        undo = html.Form(
            html.Button(t("duty.undo"), type="submit", className="button small"),
            **{
                "data-api": f"/api/v1/duties/records/{record.deed_id}/undo",
                "data-then": "/duties/{adoption_id}?undone={deed_id}",
                "data-done": t("duty.undone"),
            },
        )
        told.append(undo)
    return told
