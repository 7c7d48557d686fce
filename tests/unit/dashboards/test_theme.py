"""Both themes can be read: WCAG 2.1 AA, 1.4.3 (text 4.5:1) and 1.4.11 (shapes 3:1)."""

import re
from pathlib import Path

import pytest

from dashboards.theme.css import stylesheet
from dashboards.theme.plotly import template
from dashboards.theme.tokens import DARK, LIGHT

ASSETS = Path(__file__).parents[3] / "dashboards" / "assets"
TEXTS = ("text", "secondary", "accent", "p1", "p2", "p3", "p4", "manual")
GROUNDS = ("page", "surface", "raised")


def luminance(colour: str) -> float:
    """WCAG 2.1's definition of relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", TEXTS)
def test_text_reaches_aa(theme: dict[str, str], ground: str, name: str) -> None:
    assert contrast(theme[name], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("above", "below"), [("accent-text", "accent"), ("surface", "p1"), ("surface", "p2"), ("surface", "text")]
)
def test_words_on_a_coloured_ground_reach_aa(theme: dict[str, str], above: str, below: str) -> None:
    assert contrast(theme[above], theme[below]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["line-strong", "running", "data", "focus"])
def test_shapes_with_a_meaning_reach_3_to_1(theme: dict[str, str], name: str) -> None:
    assert contrast(theme[name], theme["surface"]) >= 3.0


def test_both_themes_define_the_same_tokens() -> None:
    assert set(LIGHT) == set(DARK)


def test_css_uses_only_tokens_that_exist() -> None:
    known = set(re.findall(r"--([\w-]+):", stylesheet()))
    css = (ASSETS / "app.css").read_text(encoding="utf-8")
    local = set(re.findall(r"--([\w-]+):", css)) | {"now", "low", "high", "forecast", "limit", "fill"}
    assert set(re.findall(r"var\(--([\w-]+)", css)) - known - local == set()


def test_css_names_no_colour_of_its_own() -> None:
    css = (ASSETS / "app.css").read_text(encoding="utf-8")
    screen = css.split("@media print")[0]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", re.sub(r"url\([^)]*\)+", "", screen)) == []


def test_charts_take_their_colours_from_the_tokens() -> None:
    assert template("dark")["layout"]["paper_bgcolor"] == DARK["surface"]
    assert template("light")["layout"]["font"]["color"] == LIGHT["text"]
