"""Every word that people read is in both catalogues, and nowhere else."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from energy_center.analysis.verification.change_points import Shape
from energy_center.analysis.verification.verdict import Reason, Verdict
from energy_center.config.bindings import Protocol
from energy_center.domain.alarms import AlarmEventKind, AlarmState, Priority
from energy_center.domain.measures import MeasureState
from energy_center.domain.notices import Digest, MessageKind, Target
from energy_center.domain.people import UserRole
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from energy_center.domain.supervision import ErrorKind, Trouble
from energy_center.domain.tuning import ComparisonState
from energy_center.domain.work_orders import MOVES, WorkOrderState
from energy_center.i18n.text import LANGUAGES, MissingText, catalogue, text
from energy_center.services.figures import FigureSource, FigureState
from energy_center.services.notifications import Delivery
from energy_center.services.supervision import DeviceStatus
from energy_center.tariffs.bill_model import NoteKind
from energy_center.tariffs.charges import LineKind
from energy_center.tariffs.check_bill import Cause
from energy_center.tariffs.demand_response import Outcome

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "dashboards").rglob("*.py"))
CJK = re.compile(r"[\u3100-\u312f\u3400-\u9fff]")
LOCALE_TABLE = "# i18n: locale table"  # plotly's own words for months, which no catalogue key could hold
KEY = re.compile(r"[a-z_]+(\.[a-z0-9_]+)+")
# Calls whose first argument is a key, and attributes that take words.
LOOKUPS = {"t", "text"}
WORDS = re.compile(r"[A-Za-z]{3,}")


def holes(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert set(catalogue("zh-TW")) ^ set(catalogue("en")) == set()


def test_both_languages_have_the_same_holes() -> None:
    zh, en = catalogue("zh-TW"), catalogue("en")
    assert {key for key in zh if holes(zh[key]) != holes(en[key])} == set()


def test_chinese_words_are_chinese() -> None:
    untranslated = {
        key
        for key, words in catalogue("zh-TW").items()
        if not CJK.search(words)
        and WORDS.search(words)
        and key not in {"shell.language_en", "overview.demand_range", "alarm.by_at", "digest.period"}
        and not key.startswith("protocol.")  # names that nobody translates
    }
    assert untranslated == set()


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(MissingText):
        text("no.such.key", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_member_of_a_closed_set_has_words(language: str) -> None:
    moves = {to for _, to in MOVES}
    wanted = [f"role.{role.value}" for role in Role]
    wanted += [f"priority.{priority.value}" for priority in Priority]
    wanted += [f"alarm_state.{state.value}" for state in AlarmState]
    wanted += [f"alarm_event.{event.value}" for event in AlarmEventKind]
    wanted += [f"work_order_state.{state.value}" for state in WorkOrderState]
    wanted += [f"work_order_move.{state.value}" for state in moves]
    wanted += [f"role_name.{role.value}" for role in UserRole]
    wanted += [f"quality.{flag.name.lower()}" for flag in Quality if flag.name]
    wanted += [source.value for source in FigureSource]
    wanted += [f"figure.state.{state.value}" for state in FigureState]
    wanted += [f"bill.kind.{kind.value}" for kind in LineKind]
    wanted += [f"bill.note.{kind.value}" for kind in NoteKind]
    wanted += [f"bill.outcome.{outcome.value}" for outcome in Outcome]
    wanted += [f"bill.cause.{cause.value}" for cause in Cause]
    wanted += [f"device_status.{status.value}" for status in DeviceStatus]
    wanted += [f"device_{group}.{kind.value}" for kind in ErrorKind for group in ("error", "advice")]
    wanted += [f"collector_trouble.{trouble.value}" for trouble in Trouble]
    wanted += [f"tuning.state.{state.value}" for state in ComparisonState]
    wanted += [f"told.kinds.{kind.value}" for kind in MessageKind]
    wanted += [f"told.states.{state.value}" for state in Delivery]
    wanted += [f"contact.digests.{digest.value}" for digest in Digest]
    wanted += [f"on_call.target.{target.value}" for target in Target]
    wanted += [f"protocol.{protocol.value}" for protocol in Protocol]
    wanted += [f"measure_state.{state.value}" for state in MeasureState]
    wanted += [
        f"verification.{part}.{verdict.value}" for verdict in Verdict for part in ("verdict", "sentence")
    ]
    wanted += [f"verification.reason.{reason.value}" for reason in Reason]
    wanted += [f"verification.model.{name}" for name in (*(shape.value for shape in Shape), "TOWT")]
    assert [key for key in wanted if key not in catalogue(language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_folder_of_rules_has_a_name(language: str) -> None:
    folders = {path.parent.name for path in (ROOT / "energy_center/rules/catalogue").glob("*/*.py")}
    assert {f"tuning.subject.{name}" for name in folders} <= set(catalogue(language))


def test_every_kind_of_the_demo_site_has_a_name() -> None:
    site = (ROOT / "energy_center" / "config" / "demo" / "taichung.yaml").read_text(encoding="utf-8")
    kinds = set(re.findall(r"class: (\w+)", site))
    assert {kind for kind in kinds if f"kind.{kind}" not in catalogue("zh-TW")} == set()


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_key_that_a_page_asks_for_exists(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    missing = []
    for name, call in calls(tree):
        first = call.args[0] if call.args else None
        if name in LOOKUPS and isinstance(first, ast.Constant) and first.value not in catalogue("en"):
            missing.append(f"{call.lineno}: {first.value}")
    assert missing == []


def is_component(call: ast.Call) -> bool:
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id in {"html", "dcc"}
    )


def literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (
            part.value
            for part in node.values
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )
    elif isinstance(node, ast.List | ast.Tuple):
        for element in node.elts:
            yield from literals(element)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_component_has_words_of_its_own(source: Path) -> None:
    found = []
    for _, call in calls(ast.parse(source.read_text(encoding="utf-8"))):
        if not is_component(call):
            continue
        shown = [
            *call.args[:1],
            *(k.value for k in call.keywords if k.arg in {"children", "title", "placeholder", "label"}),
        ]
        found += [
            f"{call.lineno}: {words}" for node in shown for words in literals(node) if WORDS.search(words)
        ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [path for path in sorted((ROOT / "dashboards").rglob("*")) if path.suffix in {".py", ".js", ".css"}],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_chinese_outside_the_catalogues(source: Path) -> None:
    lines = source.read_text(encoding="utf-8").splitlines()
    assert [n for n, line in enumerate(lines, 1) if CJK.search(line) and LOCALE_TABLE not in line] == []
