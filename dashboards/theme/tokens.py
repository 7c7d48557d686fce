"""Colours, type and sizes: the only place where they are written. CSS and charts are made from these.

Grey first (ANSI/ISA-101.01-2015): colour is kept for the abnormal. Contrast ratios were computed against each
theme's surface; text pairs reach WCAG 2.1 AA (4.5:1), a test holds them to it.
"""

from collections.abc import Mapping
from typing import Final

LIGHT: Final[Mapping[str, str]] = {
    "page": "#eceef0",
    "surface": "#ffffff",
    "raised": "#f6f7f8",
    "line": "#d4d8dc",
    "line-strong": "#7b838b",
    "text": "#212529",
    "secondary": "#495057",
    "accent": "#2f5d7e",
    "accent-text": "#ffffff",
    "data": "#4c7a9f",
    "data-fill": "#4c7a9f24",
    "band": "#d9dee3",
    "running": "#6b747c",
    "p1": "#b3261e",
    "p2": "#a84b00",
    "p3": "#7a5d00",
    "p4": "#5b4b8a",
    "p1-soft": "#fbe9e7",
    "manual": "#1c5d99",
    "focus": "#1c5d99",
    "shadow": "0 1px 2px rgba(20, 28, 36, .07)",
}

DARK: Final[Mapping[str, str]] = {
    "page": "#17191b",
    "surface": "#222527",
    "raised": "#2a2d30",
    "line": "#3a3f43",
    "line-strong": "#8b9298",
    "text": "#dee2e6",
    "secondary": "#b8bcc2",
    "accent": "#8fc1ee",
    "accent-text": "#14202b",
    "data": "#6fa3cc",
    "data-fill": "#6fa3cc2e",
    "band": "#3b4147",
    "running": "#9aa2a9",
    "p1": "#ff8a80",
    "p2": "#ffb266",
    "p3": "#f2d45c",
    "p4": "#c3b5f0",
    "p1-soft": "#3b2422",
    "manual": "#8fc1ee",
    "focus": "#8fc1ee",
    "shadow": "none",
}

FONT: Final = (
    'Inter, "Segoe UI", "Noto Sans", "Noto Sans TC", "Noto Sans CJK TC", "PingFang TC", '
    '"Microsoft JhengHei", system-ui, sans-serif'
)

# Lines of several series on one chart, told apart in greyscale print too, by their dashes.
SERIES_LIGHT: Final = ("#4c7a9f", "#8a6d3b", "#5b4b8a", "#3f7d6e")
SERIES_DARK: Final = ("#6fa3cc", "#d0b078", "#c3b5f0", "#7fc4b2")
DASHES: Final = ("solid", "dash", "dot", "dashdot")
