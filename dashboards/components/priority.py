"""An alarm's priority: always colour, shape, digit and word together."""

from dash import html
from dash.development.base_component import Component

from energy_center.domain.alarms import Priority
from energy_center.i18n.text import text


def badge(priority: Priority, language: str, *, blinking: bool = False) -> Component:
    """Square 1, triangle 2, diamond 3, circle 4; `blinking` for an unacknowledged critical alarm."""
    digit = str(priority.rank + 1)
    shape = html.Span(html.Span(digit), className="shape", **{"aria-hidden": "true"})
    word = html.Span(text(f"priority.{priority.value}", language), className="word")
    blink = " blink" if blinking and priority is Priority.CRITICAL else ""
    return html.Span([shape, word], className=f"priority p{digit}{blink}")
