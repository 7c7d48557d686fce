"""The utility's bill as a PDF: figures found beside their printed names, and what was not found.

Only a name directly followed by a number is believed; one that stands twice with different numbers is left
to the person. Nothing is guessed from the place on the page.
"""

import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from energy_center.errors import Invalid
from energy_center.services.utility_bill import NAMES, read_number

MOST_PAGES = 10
# what pypdf stumbles over in damaged files, besides its own errors
_UNREADABLE = (
    *(PyPdfError, ValueError, LookupError, TypeError, AttributeError),
    *(RuntimeError, AssertionError, ArithmeticError),
)
_NAMES: Mapping[str, str] = {
    **NAMES,
    "尖峰用電度數": "energy.peak",
    "半尖峰用電度數": "energy.half_peak",
    "週六半尖峰用電度數": "energy.saturday_half_peak",
    "離峰用電度數": "energy.off_peak",
    "尖峰最高需量": "demand.peak",
    "半尖峰最高需量": "demand.half_peak",
    "週六半尖峰最高需量": "demand.saturday_half_peak",
    "離峰最高需量": "demand.off_peak",
    "平均功率因數": "power_factor",
    "基本電費合計": "amount.basic",
    "流動電費合計": "amount.energy",
    "本期應繳總金額": "total",
}
_HAN = r"\u3400-\u9fff"
# a name is not the tail of a longer one: "尖峰" of "半尖峰"
_LABEL = re.compile(rf"(?<![{_HAN}])({'|'.join(sorted(map(re.escape, _NAMES), key=len, reverse=True))})")
_UNIT = r"\s*(?:\((?:度|瓩|元|%|kWh|kW|kvarh)\))?"
_NUMBER = re.compile(rf"{_UNIT}[:\s]*(?:NT\$|\$)?\s*([-−]?\d[\d,]*(?:\.\d+)?)(?![\d/年月日-])")
_PERIOD = re.compile(
    r"計費期間[:\s]*(\d{2,3})[年/](\d{1,2})[月/](\d{1,2})日?\s*(?:至|~|-)\s*(\d{2,3})[年/](\d{1,2})[月/](\d{1,2})"
)
_REPUBLIC = 1911  # year 1 of the Republic is 1912


@dataclass(frozen=True, slots=True)
class FoundFigures:
    """What a text told: figures, those told twice differently, and the printed period where there is one."""

    figures: Mapping[str, Decimal]
    ambiguous: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None


def pdf_text(content: bytes) -> str:
    """The words of a PDF. Raises Invalid for what is none, what is encrypted, and a picture without words."""
    try:
        read = PdfReader(io.BytesIO(content))
        if read.is_encrypted:
            raise Invalid("The PDF is protected by a password; save it without one, or type the figures in")
        if len(read.pages) > MOST_PAGES:
            raise Invalid(f"The PDF has {len(read.pages)} pages; a bill has at most {MOST_PAGES}")
        words = "\n".join(page.extract_text() for page in read.pages)
    except _UNREADABLE as cause:
        raise Invalid("The file is no PDF that can be read; type the figures in") from cause
    if not words.strip():
        raise Invalid("The PDF holds a picture without words; type the figures in")
    return words


def figures_in(words: str) -> FoundFigures:
    """Figures by the names of `tariffs.check_bill`."""
    plain = re.sub(rf"(?<=[{_HAN}]) +(?=[{_HAN}])", "", unicodedata.normalize("NFKC", words))
    found: dict[str, set[Decimal]] = {}
    for label in _LABEL.finditer(plain):
        number = _NUMBER.match(plain, label.end())
        amount = read_number(number.group(1).replace("−", "-")) if number else None
        if amount is not None:
            found.setdefault(_NAMES[label.group(1)], set()).add(amount)
    first, last = _period(plain)
    return FoundFigures(
        {figure: next(iter(amounts)) for figure, amounts in found.items() if len(amounts) == 1},
        tuple(figure for figure, amounts in found.items() if len(amounts) > 1),
        first,
        last,
    )


def _period(plain: str) -> tuple[date | None, date | None]:
    told = _PERIOD.search(plain)
    if told is None:
        return None, None
    numbers = [int(part) for part in told.groups()]
    try:
        first, last = (date(year + _REPUBLIC, month, day) for year, month, day in (numbers[:3], numbers[3:]))
    except ValueError:
        return None, None
    return first, last
