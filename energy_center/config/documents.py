"""YAML that a person wrote: read with the line of every node, its mistakes worded to be put right."""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

NodePath = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing to put right: where it stands, what was found, what would be right."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        """The form that editors can jump to."""
        return f"{self.file}:{self.line}: {self.sentence}"


@dataclass(slots=True)
class Document:
    """Plain content of one YAML file and the line (from 1) of each node by its path of keys and indexes."""

    file: str
    content: object = None
    lines: dict[NodePath, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def line(self, where: NodePath) -> int:
        """Line of the node, or of its nearest ancestor that stands in the file."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def mistake(self, where: NodePath, sentence: str) -> None:
        """Note a mistake at a node."""
        self.mistakes.append(Mistake(self.file, self.line(where), sentence))


class _Plain(yaml.SafeLoader):
    """SafeLoader whose scalars we construct one by one, to know their lines."""


def read_yaml(path: Path) -> Document:
    """Read a file; unreadable or malformed YAML and doubled keys are mistakes of the document."""
    document = Document(file=str(path))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        document.mistake((), f"cannot be read: {getattr(cause, 'strerror', None) or cause}")
        return document
    loader = _Plain(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            document.content = _plain(node, (), document, loader)
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        line = mark.line + 1 if mark else 1
        document.mistakes.append(Mistake(document.file, line, f"not YAML: {cause.problem or cause.context}"))
    finally:
        loader.dispose()
    return document


def _plain(node: yaml.Node, at: NodePath, document: Document, loader: _Plain) -> object:
    document.lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*at, i), document, loader) for i, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    loader.flatten_mapping(node)
    mapping: dict[Any, object] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        where = (*at, key)
        line = key_node.start_mark.line + 1
        if key in mapping:
            document.mistakes.append(Mistake(document.file, line, f"key '{key}' is given twice"))
        document.lines[where] = line
        mapping[key] = _plain(value_node, where, document, loader)
    return mapping


def validate(document: Document, model: type[Model]) -> Model | None:
    """The document as `model`, or None with the mistakes noted in the document."""
    if document.mistakes:
        return None
    try:
        return model.model_validate(document.content)
    except ValidationError as problem:
        for error in problem.errors(include_url=False):
            _note(document, model, error)
        return None


def _note(document: Document, model: type[BaseModel], error: Mapping[str, Any]) -> None:
    loc: NodePath = error["loc"]
    document.mistake(loc, f"{_subject(document.content, loc)}{_sentence(model, error, loc)}")


def _sentence(model: type[BaseModel], error: Mapping[str, Any], loc: NodePath) -> str:
    match error["type"]:
        case "extra_forbidden":
            return f"unknown key '{loc[-1]}'; allowed are {_listed(_keys(model, loc[:-1]))}"
        case "missing":
            return f"key '{loc[-1]}' is missing"
        case "enum" | "literal_error":
            return f"'{loc[-1]}' is {error['input']!r}; allowed are {error['ctx']['expected']}"
        case "value_error":
            return (
                f"'{loc[-1]}': {error['ctx']['error']}"
                if loc and isinstance(loc[-1], str)
                else str(error["ctx"]["error"])
            )
        case "model_type" | "dataclass_type" | "dict_type":
            return f"'{_last_key(loc)}' is {error['input']!r}; a mapping of keys is needed"
    return f"'{_last_key(loc)}' is {error['input']!r}; {error['msg'][0].lower()}{error['msg'][1:]}"


def _last_key(loc: NodePath) -> str:
    words = [part for part in loc if isinstance(part, str)]
    return words[-1] if words else "file"


def _subject(content: object, loc: NodePath) -> str:
    """`equipment 'ltb-main': ` for a place inside a listed thing with an id, else nothing."""
    if len(loc) < 2 or not isinstance(content, dict):  # noqa: PLR2004  a list's name and an index
        return ""
    items = content.get(loc[0])
    if not isinstance(items, list) or not isinstance(loc[1], int) or loc[1] >= len(items):
        return ""
    item = items[loc[1]]
    name = (item.get("id") or item.get("name") or item.get("role")) if isinstance(item, dict) else None
    return f"{loc[0]} '{name}': " if name else f"{loc[0]}[{loc[1]}]: "


def _listed(words: list[str]) -> str:
    return ", ".join(sorted(words))


def _keys(model: type[BaseModel], loc: NodePath) -> list[str]:
    at: object = model
    for part in loc:
        if isinstance(part, str) and isinstance(at, type) and issubclass(at, BaseModel):
            fields = {f.alias or n: f.annotation for n, f in at.model_fields.items()}
            at = fields.get(part)
        at = _inner(at)
    if isinstance(at, type) and issubclass(at, BaseModel):
        return [f.alias or n for n, f in at.model_fields.items()]
    return []


def _inner(annotation: object) -> object:
    """The model inside Optional, tuple, list, dict and Annotated."""
    while (origin := get_origin(annotation)) is not None:
        args = get_args(annotation)
        if origin is Annotated:
            annotation = args[0]
        elif origin in (types.UnionType, typing.Union):
            annotation = next(a for a in args if a is not type(None))
        else:
            annotation = args[-1] if origin is dict else args[0]
    return annotation
