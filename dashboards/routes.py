"""The one table of pages: path, title, permission, place in the menus, and what draws it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from dash.development.base_component import Component

from dashboards.components.cell import Cell
from dashboards.pages import (
    alarm,
    alarm_health,
    alarms,
    bills,
    contacts,
    device,
    devices,
    duties,
    duty,
    equipment,
    equipment_list,
    measure,
    measures,
    more,
    notifications,
    on_call,
    overview,
    rule,
    rules,
    suggestion,
    suggestions,
    work_order,
    work_orders,
)
from dashboards.request import PageRequest
from energy_center.domain.people import Permission

Draw = Callable[[PageRequest], Awaitable[Component]]
HINTS = ("alarms", "orders", "progress")
Cells = Callable[[PageRequest], Awaitable[Mapping[str, Cell]]]


@dataclass(frozen=True, slots=True)
class Page:
    """`path` may hold `{name}` holes. `cells` gives what the push channel refreshes, None for a still page.

    `parts` draws anew what stands in the element `part-<subject>`, when something of that subject changed.

    `menu` is the place in the top menu, `phone` in the bottom bar of phones, None for neither;
    `figures_every_s`: its cells rest on more than single readings and are asked for this often; 0: never.
    """

    path: str
    title: str
    draw: Draw
    permission: Permission = Permission.VIEW
    cells: Cells | None = None
    parts: Mapping[str, Draw] = field(default_factory=dict)
    figures_every_s: float = 0.0
    menu: int | None = None
    phone: int | None = None
    icon: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the whole path; each hole is one segment."""
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path)))


PAGES: tuple[Page, ...] = (
    Page(
        "/",
        "nav.overview",
        overview.draw,
        cells=overview.cells,
        figures_every_s=2.0,
        parts={"alarms": overview.draw_alarms, "progress": overview.draw_progress},
        menu=1,
        phone=1,
        icon="overview",
    ),
    Page(
        "/alarms",
        "nav.alarms",
        alarms.draw,
        parts={"alarms": alarms.draw_list},
        menu=2,
        phone=2,
        icon="alarms",
    ),
    Page("/alarm-health", "health.title", alarm_health.draw),
    Page("/alarms/{alarm_id}", "nav.alarms", alarm.draw, parts={"alarms": alarm.draw_body}),
    Page(
        "/equipment",
        "nav.equipment",
        equipment_list.draw,
        cells=equipment_list.cells,
        figures_every_s=5.0,  # a few hundred rows: asked for once for everybody
        menu=3,
        phone=4,
        icon="equipment",
    ),
    Page(
        "/equipment/{equipment_id}",
        "nav.equipment",
        equipment.draw,
        cells=equipment.cells,
        parts={"alarms": equipment.draw_alarms},
    ),
    Page(
        "/work-orders",
        "nav.work_orders",
        work_orders.draw,
        parts={"orders": work_orders.draw_list},
        menu=4,
        phone=3,
        icon="work_orders",
    ),
    Page(
        "/work-orders/{order_id}", "nav.work_orders", work_order.draw, parts={"orders": work_order.draw_body}
    ),
    Page(
        "/devices",
        "nav.devices",
        devices.draw,
        cells=devices.cells,
        figures_every_s=5.0,
        icon="devices",
    ),
    Page("/bills", "nav.bills", bills.draw, menu=5, icon="bills"),
    Page("/measures", "nav.measures", measures.draw, icon="measures"),
    Page("/measures/{measure_id}", "nav.measures", measure.draw),
    Page(
        "/on-call",
        "nav.notifications",
        on_call.draw,
        Permission.ACKNOWLEDGE_ALARM,
        icon="notifications",
    ),
    Page("/rules", "tuning.rules", rules.draw),
    Page("/rules/{rule_id}", "tuning.rules", rule.draw),
    Page("/contacts", "contact.title", contacts.draw, Permission.ACKNOWLEDGE_ALARM),
    Page("/notifications", "told.title", notifications.draw, Permission.ACKNOWLEDGE_ALARM),
    Page("/suggestions", "nav.suggestions", suggestions.draw, menu=6, icon="suggestions"),
    Page("/suggestions/{suggestion_id}", "nav.suggestions", suggestion.draw),
    Page("/devices/{device_id}", "nav.devices", device.draw),
    Page("/duties", "nav.duties", duties.draw, menu=8, icon="duties"),
    Page("/duties/{adoption_id}", "nav.duties", duty.draw),
    Page("/more", "nav.more", more.draw, menu=9, phone=5, icon="more"),
)


def find_page(path: str) -> tuple[Page, Mapping[str, str]] | None:
    """The page of a path and the values of its holes, or None."""
    for page in PAGES:
        found = page.pattern.fullmatch(path.rstrip("/") or "/")
        if found is not None:
            return page, found.groupdict()
    return None


def menu() -> tuple[Page, ...]:
    """The pages of the top menu, in order."""
    return tuple(sorted((p for p in PAGES if p.menu is not None), key=lambda p: p.menu or 0))


def phone_bar() -> tuple[Page, ...]:
    """The pages of the bottom bar on phones, in order."""
    return tuple(sorted((p for p in PAGES if p.phone is not None), key=lambda p: p.phone or 0))
