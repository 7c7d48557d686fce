"""The one chart style, made from the tokens."""

from collections.abc import Mapping
from typing import Any

from dashboards.theme.tokens import DARK, FONT, LIGHT, SERIES_DARK, SERIES_LIGHT

# plotly.js ships no zh-TW locale; these are the words that a time axis and its tooltip use.
ZH_TW: Mapping[str, Any] = {
    "format": {
        "days": ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"],  # i18n: locale table
        "shortDays": ["日", "一", "二", "三", "四", "五", "六"],  # i18n: locale table
        "months": [f"{m} 月" for m in range(1, 13)],  # i18n: locale table
        "shortMonths": [f"{m} 月" for m in range(1, 13)],  # i18n: locale table
        "date": "%Y/%m/%d",
        "year": "%Y 年",  # i18n: locale table
        "month": "%Y 年 %B",  # i18n: locale table
        "dayMonth": "%b %-d 日",  # i18n: locale table
        "dayMonthYear": "%Y/%m/%d",
    }
}


def _axis(tokens: Mapping[str, str]) -> dict[str, Any]:
    return {
        "gridcolor": tokens["line"],
        "linecolor": tokens["line-strong"],
        "zerolinecolor": tokens["line"],
        "tickcolor": tokens["line-strong"],
        "tickfont": {"color": tokens["secondary"], "size": 12},
        "title": {"font": {"color": tokens["secondary"], "size": 12}},
        "showgrid": True,
        "automargin": True,
    }


def template(theme: str) -> dict[str, Any]:
    """A plotly template for `light` or `dark`."""
    tokens, series = (DARK, SERIES_DARK) if theme == "dark" else (LIGHT, SERIES_LIGHT)
    return {
        "layout": {
            "font": {"family": FONT, "size": 13, "color": tokens["text"]},
            "colorway": list(series),
            "paper_bgcolor": tokens["surface"],
            "plot_bgcolor": tokens["surface"],
            "margin": {"l": 8, "r": 12, "t": 12, "b": 8, "pad": 0},
            "hovermode": "x unified",
            "hoverlabel": {
                "bgcolor": tokens["raised"],
                "bordercolor": tokens["line"],
                "font": {"family": FONT, "color": tokens["text"]},
            },
            "legend": {
                "orientation": "h",
                "y": 1.02,
                "yanchor": "bottom",
                "x": 0,
                "bgcolor": "rgba(0,0,0,0)",
            },
            "xaxis": {**_axis(tokens), "showgrid": False},
            "yaxis": _axis(tokens),
        }
    }
