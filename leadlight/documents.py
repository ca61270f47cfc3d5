"""YAML documents that people write (mappings, rule cards, feature catalogs), validated with located errors."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from leadlight.errors import InputError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)
Loc = Sequence[int | str]


class Document:
    """A parsed YAML file that remembers the line of every key and item."""

    def __init__(self, path: Path, text: str, error: type[InputError] = InputError) -> None:
        """Parse `text`; `error` is the class that its problems are raised as."""
        from ruamel.yaml import YAML  # noqa: PLC0415  (a service that has its card in the bundle never needs YAML)
        from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

        self.path = path
        self.error = error
        try:
            self.data: Any = YAML(typ="rt").load(StringIO(text))
        except MarkedYAMLError as problem:
            line = problem.problem_mark.line + 1 if problem.problem_mark else None
            raise error.in_file(path, line, f"not valid YAML: {problem.problem}") from problem
        except (YAMLError, ValueError) as problem:  # control characters; a date that does not exist
            raise error.in_file(path, None, f"not valid YAML: {_one_line(problem)}") from problem
        except RecursionError as deep:
            raise error.in_file(path, None, "not valid YAML: nested too deeply") from deep

    @classmethod
    def read(cls, path: Path, error: type[InputError] = InputError) -> "Document":
        """Read a UTF-8 file (with or without BOM).

        Raises:
            InputError: (as `error`) the file is missing, not UTF-8 or not YAML.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as missing:
            raise error(f"{path} does not exist; check the path") from missing
        except (UnicodeDecodeError, OSError) as unreadable:
            raise error(f"{path} cannot be read as UTF-8 text: {unreadable}") from unreadable
        return cls(path, text, error)

    def line(self, loc: Loc) -> int | None:
        """Give the line (from 1) of the deepest part of `loc` that exists; None for an empty document."""
        node, line = self.data, None
        for part in loc:
            marks = getattr(node, "lc", None)
            try:
                if isinstance(node, dict):
                    key = {str(known): known for known in node}[str(part)]  # `plain` made every key a text
                    position, node = marks.key(key), node[key]  # type: ignore[union-attr]
                else:
                    position, node = marks.item(part), node[part]  # type: ignore[union-attr]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
            line = position[0] + 1
        if line is None and getattr(self.data, "lc", None) is not None:
            line = int(self.data.lc.line) + 1
        return line

    def problem(self, loc: Loc, message: str) -> InputError:
        """Build this document's error at `loc`."""
        return self.error.in_file(self.path, self.line(loc), message)

    def validate(self, model: type[Model]) -> Model:
        """Build `model` from the document.

        Raises:
            InputError: (as this document's class) located at the first problem (an unknown key before a missing one),
                with the nearest known key for an unknown one and the number of further problems.
        """
        try:
            return model.model_validate(plain(self.data))
        except ValidationError as invalid:
            problems = invalid.errors(include_url=False, include_input=False)
            first = _most_telling(problems)
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise self.problem(first["loc"], self._message(first, model) + more) from invalid

    def _message(self, problem: Any, model: type[BaseModel]) -> str:
        loc = [part for part in problem["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
        name = str(loc[-1]) if loc else "document"
        if problem["type"] == "extra_forbidden":
            return f"unknown key `{name}`{did_you_mean(name, _keys(model))}"
        if problem["type"] == "missing":
            return f"`{name}` is missing"
        text = str(problem["msg"]).removeprefix("Value error, ")
        return f"`{'.'.join(str(part) for part in loc)}`: {text}" if loc else text


def _most_telling(problems: Sequence[Any]) -> Any:
    """Give the first problem, an unknown key before a missing one: it often is the missing one, misspelt."""
    unknown = [problem for problem in problems if problem["type"] == "extra_forbidden"]
    return unknown[0] if unknown and problems[0]["type"] == "missing" else problems[0]


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())


def plain(node: Any) -> Any:
    """Copy ruamel's annotated containers into plain dicts, lists and scalars."""
    from ruamel.yaml.scalarbool import ScalarBoolean  # noqa: PLC0415  (see `Document`)

    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, ScalarBoolean):  # `&anchor true`: an int to Python
        return bool(node)
    for scalar in (int, float, str):
        if isinstance(node, scalar):
            return scalar(node)
    return node  # a date or datetime of YAML


def _keys(model: type[BaseModel], seen: frozenset[type] = frozenset()) -> set[str]:
    """Give every key that the model or a model inside it knows."""
    keys: set[str] = set()
    for name, info in model.model_fields.items():
        keys.add(info.alias or name)
        keys |= _nested_keys(info.annotation, seen | {model})
    return keys


def _nested_keys(annotation: Any, seen: frozenset[type]) -> set[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        return _keys(annotation, seen)
    keys: set[str] = set()
    for argument in getattr(annotation, "__args__", ()):
        keys |= _nested_keys(argument, seen)
    return keys
