"""What pydantic found, in the words and at the place of the person who wrote the file."""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import ErrorDetails

from watcher.config.yaml import Document
from watcher.errors import Problem

Loc = tuple[str | int, ...]

SHOWN = 60
_HIDDEN = "the value is not valid (it is a secret, so it is not shown)"
# How pydantic says that the key itself is wrong, not its value.
KEY = "[key]"
_NAME = re.compile(r"[\w.-]{1,64}")
# At most this many choices are listed when none is near.
LISTED = 12


def explain(
    errors: ValidationError | Sequence[ErrorDetails],
    document: Document,
    model: type[BaseModel],
    *,
    prefix: Loc = (),
    secrets: Collection[str] = (),
) -> list[Problem]:
    """One problem per mistake; `prefix` is where in the document the model begins.

    None of `secrets` is ever shown, nor what a secret field was given.
    """
    if isinstance(errors, ValidationError):
        errors = errors.errors(include_url=False)
    told: dict[tuple[Loc, str], Problem] = {}
    for found in _without_misspelt(_one_branch(errors, document, prefix), model):
        loc = (*prefix, *(part for part in found["loc"] if part != KEY))
        what, todo = describe(found, model)
        if any(secret and secret in what for secret in secrets):
            what = _HIDDEN
        at_key = found["type"] == "extra_forbidden" or KEY in found["loc"]
        told.setdefault((loc, what), problem_at(document, loc, what, todo, key=at_key))
    return list(told.values())


def problem_at(
    document: Document, loc: Sequence[str | int], what: str, todo: str = "", *, key: bool = False
) -> Problem:
    """A problem at a value of a document; at its key when asked, or when the value spans lines."""
    node = document.node(loc)
    block = node is not None and node.raw is None and bool(loc) and isinstance(loc[-1], str)
    line, column = document.place(loc, key=key or block)
    return Problem(document.file, line, column, path_of(document, loc), what, todo)


def path_of(document: Document, loc: Sequence[str | int]) -> str:
    """`receivers[desk].host`: list items go by their id; what only pydantic knows is left out."""
    steps = list(document.walk(loc))
    path = ""
    for at, (part, node) in enumerate(steps):
        plain = isinstance(part, str) and _NAME.fullmatch(part)
        if isinstance(part, int):
            name = node.data.get("id") if node and isinstance(node.data, dict) else None
            path += f"[{name}]" if isinstance(name, str) and _NAME.fullmatch(name) else f"[{part}]"
        elif plain and (node is not None or at == len(steps) - 1):
            path += f".{part}" if path else part
        elif node is not None:
            path += f"[{part!r}]"
    return path


def inert(problem: Problem) -> Problem:
    """What a file says can't colour a terminal, hide a line or turn the text around."""
    return replace(
        problem,
        file=_printable(problem.file),
        path=_printable(problem.path),
        what=_printable(problem.what),
        todo=_printable(problem.todo),
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def nearest(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """`did you mean 'x'?`, or the choices when they are few, or `otherwise`."""
    choices = sorted(set(known))
    found = difflib.get_close_matches(word, choices, 1, 0.6)
    if found:
        return f"did you mean {found[0]!r}?"
    if choices and len(choices) <= LISTED:
        return f"known: {', '.join(choices)}"
    return otherwise


def show(value: object) -> str:
    """A value as the message names it: short scalars by repr, the rest by kind."""
    match value:
        case None:
            return "no value"
        case bool():
            return str(value).lower()
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 2] + "…" + text[-1]


def describe(found: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong, and what to do."""
    loc, kind, value = found["loc"], found["type"], found["input"]
    secret = is_secret(model, loc)
    shown = "the value" if secret and not isinstance(value, list | Mapping) else show(value)
    name = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        return f"unknown key {name!r}", nearest(
            name, known_keys(model, loc[:-1]), otherwise="remove it"
        )
    if kind == "missing":
        add = f"add {name}_env or {name}_file" if secret else "add it"
        return f"the key {name!r} is missing", add
    if value is None:
        return "no value", "write one, or remove the key"
    if kind in _TEXTS:
        return _TEXTS[kind](shown, found.get("ctx", {}), value)
    what = found["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if secret and isinstance(value, str) and value and value in what:
        what = _HIDDEN
    return what[:1].lower() + what[1:], ""


_Text = Callable[[str, Mapping[str, Any], Any], tuple[str, str]]


def _kind(noun: str, todo: str, todo_of_block: str = "") -> _Text:
    def text(shown: str, _ctx: Mapping[str, Any], value: Any) -> tuple[str, str]:
        if isinstance(value, list | tuple | Mapping):
            return f"{shown} stands where {noun} is expected", todo_of_block or todo
        return f"{shown} is not {noun}", todo

    return text


def _choice(shown: str, ctx: Mapping[str, Any], value: Any) -> tuple[str, str]:
    expected = re.findall(r"'([^']*)'", str(ctx.get("expected", "")))
    todo = (
        nearest(str(value), expected) if isinstance(value, str) else f"known: {', '.join(expected)}"
    )
    return f"{shown} is not a choice here", todo


def _size(shown: str, ctx: Mapping[str, Any], value: Any) -> tuple[str, str]:
    least, most = ctx.get("min_length"), ctx.get("max_length")
    if least is not None:
        what = "is empty" if not value else f"{shown} is too short"
        return what, f"write at least {'one' if least == 1 else least}"
    return f"{shown} is too long", f"write at most {most}"


def _pattern(shown: str, ctx: Mapping[str, Any], _value: Any) -> tuple[str, str]:
    for start, letters in (("^[a-z0-9][", "lower case letters"), ("^[A-Za-z0-9][", "letters")):
        if ctx["pattern"].startswith(start):
            return f"{shown} is not a name here", f"use {letters}, digits, '-' and '_'"
    return f"{shown} has a wrong form", f"it must fit {ctx['pattern']}"


def _limit(sign: str, key: str) -> _Text:
    return lambda shown, ctx, _value: (
        f"{shown} is out of range",
        f"write a value {sign} {ctx[key]}",
    )


_TEXT = _kind("a text", "put it in quotes", "write one text")
_WHOLE = _kind("a whole number", "write digits only")
_NUMBER = _kind("a number", "write digits")
_BOOL = _kind("true or false", "write true or false, without quotes")
_LIST = _kind("a list", "write [a, b], or lines that begin with '- '")
_DURATION = _kind("a duration", "write a number with s, m, h, d or w, like 15m")
_MAPPING = _kind("a mapping", "write 'key: value' lines")
_TEXTS: dict[str, _Text] = {
    **dict.fromkeys(("string_type", "string_sub_type"), _TEXT),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), _BOOL),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), _LIST),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "mapping_type"), _MAPPING),
    **dict.fromkeys(("literal_error", "enum"), _choice),
    **dict.fromkeys(("too_short", "too_long", "string_too_short", "string_too_long"), _size),
    "greater_than": _limit("above", "gt"),
    "greater_than_equal": _limit("of at least", "ge"),
    "less_than": _limit("below", "lt"),
    "less_than_equal": _limit("of at most", "le"),
    "string_pattern_mismatch": _pattern,
    "time_delta_type": _DURATION,
    "time_delta_parsing": _DURATION,
}


def _one_branch(
    errors: Sequence[ErrorDetails], document: Document, prefix: Loc
) -> Iterable[ErrorDetails]:
    """Of a union pydantic reports every branch: keep the one that came furthest.

    A branch shows as a part of the location that the file does not have.
    """
    unions: dict[Loc, dict[str, list[ErrorDetails]]] = {}
    for found in errors:
        loc = (*prefix, *(part for part in found["loc"] if part != KEY))
        steps = list(document.walk(loc))
        tags = [at for at, (_, node) in enumerate(steps) if node is None]
        if not tags or (tags[0] == len(steps) - 1 and found["type"] == "missing"):
            yield found
        else:
            branch = unions.setdefault(loc[: tags[0]], {})
            branch.setdefault(str(loc[tags[0]]), []).append(found)
    for branches in unions.values():
        yield from max(branches.values(), key=_how_far)


def _how_far(branch: list[ErrorDetails]) -> tuple[int, int, int]:
    wrong_kind = any(e["type"].endswith("_type") for e in branch)
    return (max(len(e["loc"]) for e in branch), not wrong_kind, -len(branch))


def _without_misspelt(
    errors: Iterable[ErrorDetails], model: type[BaseModel]
) -> Iterator[ErrorDetails]:
    """A key that is misspelt is also missing: once is enough."""
    found = list(errors)
    meant = set()
    for error in found:
        if error["type"] == "extra_forbidden":
            keys = sorted(known_keys(model, error["loc"][:-1]))
            near = difflib.get_close_matches(str(error["loc"][-1]), keys, 1, 0.6)
            bases = [re.sub("_(env|file)$", "", name) for name in near]
            meant |= {(*error["loc"][:-1], name) for name in (*near, *bases)}
    return (e for e in found if e["type"] != "missing" or e["loc"] not in meant)


def known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> set[str]:
    """The keys a mapping at `loc` may have; empty when the model does not say."""
    keys: set[str] = set()
    for plain in _schemas_at(model, loc):
        for key, below in plain.get("properties", {}).items():
            secret = any(map(_hides, _options(below, _schema(model))))
            keys |= {key, f"{key}_env", f"{key}_file"} if secret else {key}
    return keys


def is_secret(model: type[BaseModel], loc: Sequence[str | int]) -> bool:
    """Whether the value at `loc`, or something it is part of, is never to be shown."""
    return any(
        _hides(plain) for end in range(1, len(loc) + 1) for plain in _schemas_at(model, loc[:end])
    )


def _hides(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("writeOnly"))


def _schemas_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[dict[str, Any]]:
    schema = _schema(model)
    here = [schema]
    for part in loc:
        below = [s for option in here for s in _below(_options(option, schema), part)]
        here = below or here
    return [plain for option in here for plain in _options(option, schema)]


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    try:
        return model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return {"properties": {key: {} for key in model.model_fields}}


def _options(schema: dict[str, Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    """Follow references and unions down to plain schemas."""
    if "$ref" in schema:
        return _options(root.get("$defs", {}).get(schema["$ref"].rpartition("/")[2], {}), root)
    many = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    return [plain for one in many for plain in _options(one, root)] if many else [schema]


def _below(options: list[dict[str, Any]], part: str | int) -> list[dict[str, Any]]:
    found: list[Any] = []
    for option in options:
        if isinstance(part, int):
            found.append(option.get("items"))
        elif part in option.get("properties", {}):
            found.append(option["properties"][part])
        else:
            found += [
                *option.get("patternProperties", {}).values(),
                option.get("additionalProperties"),
            ]
    return [schema for schema in found if isinstance(schema, dict)]
