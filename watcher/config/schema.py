"""JSON Schemas for editors: `# yaml-language-server: $schema=…` completes and checks while one types.

They come from the models that load the files, so they can't drift; `tests/unit/config`
holds them against every file and every example that ships.
"""

from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from watcher.config.receivers import known_types, settings_of
from watcher.config.secrets import secret_fields
from watcher.config.settings import WatcherSettings
from watcher.rules import clauses as c
from watcher.rules.parse import FILTERS
from watcher.rules.schema import ConceptFile, RuleFile
from watcher.sources.settings import FeedFile
from watcher.stories.countries import CODES
from watcher.stories.publishers import PublisherFile

Kind = Literal["watcher", "feeds", "concepts", "publishers", "rules"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_MODELS: dict[Kind, type[BaseModel]] = {
    "watcher": WatcherSettings,
    "feeds": FeedFile,
    "concepts": ConceptFile,
    "publishers": PublisherFile,
    "rules": RuleFile,
}
_REF = "#/$defs/"
_TEXT: JsonSchemaValue = {"type": "string"}
_SECRET_REF: JsonSchemaValue = {
    "type": "object",
    "properties": {"env": _TEXT, "file": _TEXT},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
_QUIET_HOURS: JsonSchemaValue = {
    "type": "object",
    "properties": {"from": _TEXT, "until": _TEXT},
    "required": ["from", "until"],
    "additionalProperties": False,
}


def json_schema(kind: Kind) -> dict[str, Any]:
    """The schema of one kind of file (draft 2020-12)."""
    schema = _MODELS[kind].model_json_schema(schema_generator=_Generator)
    if kind == "watcher":
        _with_receivers(schema)
    elif kind == "rules":
        _with_clauses(schema)
    elif kind == "feeds":
        headers = schema["$defs"]["FeedSettings"]["properties"]["headers"]
        headers["additionalProperties"] = {"anyOf": [_TEXT, _SECRET_REF]}
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **schema, "title": f"{kind} files of watcher"}


class _Generator(GenerateJsonSchema):
    """Knows what the validators in front of our types read besides the type itself."""

    def function_before_schema(
        self, schema: core_schema.BeforeValidatorFunctionSchema
    ) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        name = getattr(schema["function"]["function"], "__name__", "")
        if name == "_quiet_hours":
            return {"anyOf": [_QUIET_HOURS, {"type": "null"}]}
        if inner.get("type") == "string":
            return inner
        # Every one of them turns a text into the type; one takes a bare count too.
        also = [_TEXT, {"type": "integer"}] if name == "_min_publishers" else [_TEXT]
        return {"anyOf": [*also, inner]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Defaults that are no JSON (durations, models) are left to the documentation."""
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        plain = type(default) in {str, int, float, bool} and "$ref" not in inner
        return {**inner, "default": default} if plain else inner


def _with_receivers(schema: dict[str, Any]) -> None:
    """Each receiver by its `type`; a dotted path is anybody's and stays open."""
    options: list[JsonSchemaValue] = []
    for kind in known_types():
        model = settings_of(kind)
        own = model.model_json_schema(
            schema_generator=_Generator, ref_template=f"{_REF}{kind}-{{model}}"
        )
        for name, definition in own.pop("$defs", {}).items():
            schema["$defs"][f"{kind}-{name}"] = definition
        own["properties"]["type"] = {"const": kind}
        own["title"] = kind
        _with_secrets(own, secret_fields(model))
        schema["$defs"][f"{kind}-receiver"] = own
        options.append({"$ref": f"{_REF}{kind}-receiver"})
    dotted = {"type": "string", "pattern": r"\."}
    options.append({"type": "object", "properties": {"type": dotted}, "required": ["id", "type"]})
    schema["properties"]["receivers"] = {"type": "array", "items": {"anyOf": options}}


def _with_secrets(schema: dict[str, Any], fields: set[str]) -> None:
    """A secret may be written three ways; whether one is needed, loading tells."""
    for name in fields:
        schema["properties"] |= {f"{name}_env": _TEXT, f"{name}_file": _TEXT}
    schema["required"] = [key for key in schema.get("required", []) if key not in fields]


def _with_clauses(schema: dict[str, Any]) -> None:
    schema["$defs"]["clause"] = _clause()
    schema["$defs"]["term"] = {
        "anyOf": [_TEXT, {"type": "array", "items": {"$ref": f"{_REF}term"}, "minItems": 1}]
    }
    rule = schema["$defs"]["RuleSpec"]["properties"]
    rule["when"] = {"$ref": f"{_REF}clause"}
    rule["unless"] = _list_or_one({"$ref": f"{_REF}clause"})


def _clause() -> JsonSchemaValue:
    """What `watcher.rules.parse.ClauseReader` reads; a test compares the operators."""
    clause, term = {"$ref": f"{_REF}clause"}, {"$ref": f"{_REF}term"}
    terms = {"type": "array", "items": term, "minItems": 2}
    count = {"type": "integer", "minimum": 1}
    words = {"type": "integer", "minimum": 0}
    properties: JsonSchemaValue = {
        "all": _list_or_one(clause),
        "any": _list_or_one(clause),
        "none": _list_or_one(clause),
        "at_least": _mapping({"count": count, "of": _list_or_one(clause)}),
        "phrase": term,
        "near": _mapping({"terms": terms, "within": words}, {"ordered": {"type": "boolean"}}),
        "not_near": _mapping({"term": term, "other": term, "within": words}),
        "same": {**_mapping({}, {"sentence": terms, "paragraph": terms}), "maxProperties": 1},
        "min_count": _mapping({"term": term, "count": count}),
        "exact": _list_or_one(_TEXT),
        "regex": _TEXT,
        "published": _mapping({}, {"after": _TEXT, "before": _TEXT}),
        "words": _mapping({}, {"min": words, "max": words}),
        "threshold": {"type": "number", "exclusiveMinimum": 0},
        "of": {"type": "array", "items": clause, "minItems": 1},
        "weight": {"type": "number"},
        "in": _list_or_one({"enum": list(c.FIELDS)}),
        **{name: _list_or_one(_TEXT) for name in FILTERS},
        "country": _list_or_one({"enum": [*CODES, *map(str.lower, CODES)]}),
    }
    mapping = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [_TEXT, mapping]}


def _list_or_one(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]}


def _mapping(
    needed: dict[str, JsonSchemaValue], optional: dict[str, JsonSchemaValue] | None = None
) -> JsonSchemaValue:
    return {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        "required": sorted(needed),
        "additionalProperties": False,
    }
