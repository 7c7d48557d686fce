"""The tokens as CSS custom properties, put into every page's head."""

from collections.abc import Mapping

from dashboards.theme.tokens import DARK, FONT, LIGHT


def _block(selector: str, tokens: Mapping[str, str], scheme: str) -> str:
    lines = "".join(f"--{name}:{value};" for name, value in tokens.items())
    return f"{selector}{{color-scheme:{scheme};{lines}}}"


def stylesheet() -> str:
    """Both themes: light unless `<html data-theme="dark">`."""
    return (
        _block(":root", LIGHT, "light")
        + _block(":root[data-theme=dark]", DARK, "dark")
        + f":root{{--font:{FONT}}}"
    )
