"""What does not change: place, class, how it is read, and what the site file says of it."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.pages.equipment_list import kind_name
from dashboards.request import PageRequest
from energy_center.i18n.text import text_or
from energy_center.services.read_equipment import EquipmentView


def nameplate(view: EquipmentView, request: PageRequest) -> Component:
    """Two columns of names and values; what is unknown is left out."""
    row = view.row
    entries: list[tuple[str, Component | str | None]] = [
        ("id", row.equipment_id),
        ("class", kind_name(row.brick_class, request.language)),
        ("space", row.space_name.in_language(request.language)),
        ("fed_by", _link(view.fed_by)),
        ("meters", view.meters),
        ("device", _link(row.device_id)),
        ("connection", view.connection_id),
        ("profile", view.profile),
    ]
    entries += [(name, _words(value, request)) for name, value in view.attributes.items()]
    return html.Section(
        [
            html.Div(html.H2(request.t("equipment.nameplate")), className="block-head"),
            html.Dl(
                [
                    html.Div([html.Dt(_name(name, request)), html.Dd(shown)])
                    for name, shown in entries
                    if shown is not None
                ],
                className="nameplate",
            ),
        ],
        className="panel",
    )


def _name(name: str, request: PageRequest) -> str:
    return text_or(f"nameplate.{name}", request.language, name.replace("_", " "))


def _link(equipment_id: str | None) -> Component | None:
    return dcc.Link(equipment_id, href=f"/equipment/{equipment_id}") if equipment_id else None


def _words(value: object, request: PageRequest) -> str:
    if isinstance(value, dict):
        return str(value.get(request.language) or next(iter(value.values()), ""))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(part) for part in value)
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
