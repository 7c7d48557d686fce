"""The words that people read, by key and language. Not for rules' own texts, which stand beside the rule."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

DEFAULT_LANGUAGE = "zh-TW"
LANGUAGES = ("zh-TW", "en")

_FILES = {"zh-TW": "zh_TW.yaml", "en": "en.yaml"}


class MissingText(KeyError):
    """The catalogue has no such key."""


def _flatten(tree: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, node in tree.items():
        key = f"{prefix}{name}"
        if isinstance(node, Mapping):
            flat.update(_flatten(node, f"{key}."))
        else:
            flat[key] = str(node)
    return flat


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language, dotted key -> words with `{name}` holes; the default for an unknown one."""
    file = Path(__file__).parent / _FILES.get(language, _FILES[DEFAULT_LANGUAGE])
    return _flatten(yaml.safe_load(file.read_text(encoding="utf-8")))


def text(key: str, language: str, **holes: object) -> str:
    """The words of `key`, its holes filled; raises `MissingText` so that a test finds the gap."""
    try:
        words = catalogue(language)[key]
    except KeyError as missing:
        raise MissingText(key) from missing
    return words.format(**holes) if holes else words


def text_or(key: str, language: str, otherwise: str) -> str:
    """The words of `key`, or `otherwise` for open sets such as device states that makers number freely."""
    return catalogue(language).get(key, otherwise)
