"""A bill of the utility as PDF, made for tests: the names that the printed form uses, part by part.

The layout follows the form that public bodies fill in from their bills (name, number, unit) and the names of
the utility's price table; a real bill's place on the page does not matter to what is tested.
"""

from collections.abc import Sequence

import pylopdf_fonts_zh_tw
import typst

SAMPLE = """台灣電力公司 電費通知單
電號 18-33-7005-08-7
計費期間：115年07月01日至115年07月31日
用電種類 高壓電力 三段式時間電價
經常契約容量 1,200 瓩
最高需量 (瓩) 尖峰 1,230 半尖峰 1,350
尖峰需量 1,230 瓩
半尖峰需量 1,350 瓩
週六半尖峰需量 900 瓩
離峰需量 800 瓩
尖峰度數 90,000 度
半尖峰度數 150,000 度
週六半尖峰度數 40,000 度
離峰度數 120,000 度
功率因數 92 %
基本電費 268,320.0 元
流動電費 2,130,200.0 元
超約附加費 53,472.0 元
功率因數調整費 -28,782.2 元
應繳總金額 NT$ 2,464,404 元
繳費期限 115年08月20日"""


def pdf_of(lines: Sequence[str]) -> bytes:
    """Each line as a paragraph."""
    words = "\n\n".join("#" + f"raw({_quoted(line)})" for line in lines)
    folder = str(pylopdf_fonts_zh_tw.sans_path().parent)
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    setting = '#set text(font: "Noto Sans TC")\n#show raw: set text(font: "Noto Sans TC")\n'
    made: bytes = typst.compile((setting + words).encode(), font_paths=fonts)
    return made


def _quoted(line: str) -> str:
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
