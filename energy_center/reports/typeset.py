"""A document set as PDF: a template of this package, filled with words and figures handed over as JSON.

The template decides how it looks, the caller what it says: every figure comes as text, rounded and with its
unit. The same document gives the same bytes.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_tw
import typst
from fontTools.ttLib import TTFont

from energy_center.errors import NotSet

TEMPLATES = Path(__file__).parent / "templates"
STANDARDS: "list[typst.PDFStandard]" = ["a-2a", "ua-1"]
"""For archives (ISO 19005-2) and screen readers (ISO 14289-1): tagged, fonts embedded, pictures described."""
LACKING = "〓"  # geta, the printer's mark for a character that the face does not have
_BLANKS = "\n\t"


def typeset(template: str, document: Mapping[str, object], dated: datetime) -> bytes:
    """The PDF of a document; `dated` is the date that the file bears, so never the clock's.

    `document` holds text, lists, mappings, booleans and None; it needs `title` and `language` (zh-TW or en).
    Characters that the face lacks stand as `LACKING`. Raises NotSet with what the template stumbled over.
    """
    if dated.tzinfo is None:
        raise ValueError("the date of a document needs a zone")
    words = json.dumps(_in_face(document), ensure_ascii=False, sort_keys=True)
    try:
        made, warnings = typst.compile_with_warnings(
            TEMPLATES / f"{template}.typ",
            root=TEMPLATES,
            format="pdf",
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"document": words},
            pdf_standards=STANDARDS,
            timestamp=int(dated.timestamp()),
        )
    except typst.TypstError as cause:
        raise NotSet(f"The document {template} cannot be set: {cause.diagnostic.strip()}") from cause
    if warnings:
        raise NotSet(f"The document {template} is set with a doubt: {warnings[0].message}")
    return made


@cache
def _fonts() -> typst.Fonts:
    """The faces that the package of fonts brings; nothing of the machine's own."""
    folder = pylopdf_fonts_zh_tw.sans_path().parent
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])


@cache
def _characters() -> frozenset[str]:
    """What the face can show."""
    with TTFont(pylopdf_fonts_zh_tw.sans_path(), lazy=True) as face:
        return frozenset(chr(code) for code in face.getBestCmap())


def _in_face(part: object) -> object:
    if isinstance(part, str):
        known = _characters()
        return "".join(c if c in known or c in _BLANKS else LACKING for c in part)
    if isinstance(part, Mapping):
        return {key: _in_face(inner) for key, inner in part.items()}
    if isinstance(part, list | tuple):
        return [_in_face(inner) for inner in part]
    return part
