"""A rule in one line, for people who come from media monitoring → the same tree as YAML.

    query  := part (AND part | NOT part)*  |  part (OR part)*      never both without ( )
    part   := near  |  NOT near  |  number OF ( part OR part … )
    near   := place ((NEAR/n | BEFORE/n | SENTENCE | PARAGRAPH) place)*  |  place NOT NEAR/n place
    place  := fields: place  |  key:text  |  word  |  "a phrase"  |  $concept  |  ( query )

`fields` are title, lead, body, author, tag, url (joined by `+`); `key` is lang, publisher,
feed, country, domain, exact or regex. What comes out is a plain YAML value for `ClauseReader`.
"""

import re
from dataclasses import dataclass
from typing import Any

FIELDS = frozenset({"title", "lead", "body", "author", "tag", "url"})
KEYS = frozenset({"lang", "publisher", "feed", "country", "domain", "exact", "regex"})
MAX_DEPTH = 40

_NAMES = "|".join(sorted(FIELDS | KEYS))
_TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<open>\()|(?P<close>\))'
    rf"|(?P<scope>(?:{_NAMES})(?:\+(?:{_NAMES}))*):(?=\S)"
    r"|(?P<chain>(?:NEAR|BEFORE)/\d+|SENTENCE\b|PARAGRAPH\b)"
    r"|(?P<word>[^\s()\"]+))"
)
OPERATOR_WORD = re.compile(
    rf"\b(?:AND|OR|NOT|SENTENCE|PARAGRAPH)\b|\b(?:NEAR|BEFORE)\b|\b(?:{_NAMES}):(?=\S)"
)
_OPERATOR = re.compile(rf'{OPERATOR_WORD.pattern}|\b\d+ OF \(|[()"]')
# As word processors write them.
_QUOTES = str.maketrans("“”„«»", '"""""')
_WORDS = frozenset({"AND", "OR", "NOT", "OF"})


class QueryError(ValueError):
    """What is wrong, with the character counted from 1, and what to do."""

    def __init__(self, what: str, todo: str) -> None:
        self.what = what
        self.todo = todo
        super().__init__(f"{what}: {todo}")


def is_query(text: str) -> bool:
    """Operators are capitals, parentheses, quotes or `field:`; anything else is a phrase."""
    return _OPERATOR.search(text) is not None


def read_query(text: str) -> Any:
    """The query as a YAML value; raises `QueryError`."""
    reader = _Query(_tokens(text.translate(_QUOTES)), len(text) + 1)
    value = reader.query(0)
    if reader.peek.kind != "end":
        raise reader.unexpected("close it where it opens, or remove it")
    return value


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            quote = text.find('"', at) + 1
            raise QueryError(f"character {quote}: a quote without its end", 'add the closing "')
        word = found[found.lastgroup]
        kind = word if found.lastgroup == "word" and word in _WORDS else found.lastgroup
        tokens.append(_Token(kind, word, found.start(found.lastgroup) + 1))
        at = found.end()
    return tokens


class _Query:
    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = [*tokens, _Token("end", "", end)]
        self._at = 0

    @property
    def peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self.peek
        self._at += token.kind != "end"
        return token

    def unexpected(self, todo: str) -> QueryError:
        token = self.peek
        what = "the query ends too early" if token.kind == "end" else f"unexpected {token.text!r}"
        return QueryError(f"character {token.at}: {what}", todo)

    def query(self, depth: int) -> Any:
        """One level: all AND (with NOT), or all OR."""
        if depth > MAX_DEPTH:
            raise QueryError(f"character {self.peek.at}: nested too deeply", "split the rule")
        good: list[Any] = []
        bad: list[Any] = []
        joined = ""
        while True:
            negative = self.peek.kind == "NOT"
            if negative:
                self._next()
            (bad if negative else good).append(self._part(depth))
            if self.peek.kind in {"end", "close"}:
                break
            joined = self._joiner(joined)
        if joined == "OR":
            if bad:
                raise QueryError("NOT beside OR is not clear", "put ( ) around what NOT belongs to")
            return {"any": good}
        if not bad:
            return good[0] if len(good) == 1 else {"all": good}
        return {"all": good, "none": bad} if good else {"none": bad}

    def _joiner(self, before: str) -> str:
        token = self.peek
        if token.kind not in {"AND", "OR", "NOT"}:
            previous = self._tokens[self._at - 1].text
            raise QueryError(
                f"character {token.at}: {token.text!r} follows {previous!r} without an operator",
                "put AND, OR or NOT between, or quotes around a phrase",
            )
        kind = "AND" if token.kind == "NOT" else token.kind
        if before and kind != before:
            raise QueryError(
                f"character {token.at}: AND and OR are mixed", "say with ( ) which binds first"
            )
        if token.kind != "NOT":
            self._next()
        return kind

    def _part(self, depth: int) -> Any:
        token = self.peek
        if token.text.isdigit() and self._tokens[self._at + 1].kind == "OF":
            self._at += 2
            inner = self._place(depth)
            parts = inner["any"] if isinstance(inner, dict) and set(inner) == {"any"} else [inner]
            return {"at_least": {"count": int(token.text), "of": parts}}
        first = self._place(depth)
        if self.peek.kind == "NOT" and self._tokens[self._at + 1].text.startswith("NEAR/"):
            self._next()
            within = int(self._next().text.partition("/")[2])
            return {"not_near": {"term": first, "other": self._place(depth), "within": within}}
        return self._chain(first, depth)

    def _chain(self, first: Any, depth: int) -> Any:
        terms, how = [first], ""
        while self.peek.kind == "chain":
            token = self._next()
            if how and token.text != how:
                raise QueryError(
                    f"character {token.at}: {token.text} follows {how}", "say with ( ) what belongs together"
                )  # fmt: skip
            how = token.text
            terms.append(self._place(depth))
        if not how:
            return first
        name, _, within = how.partition("/")
        if name in {"SENTENCE", "PARAGRAPH"}:
            return {"same": {name.lower(): terms}}
        ordered = {"ordered": True} if name == "BEFORE" else {}
        return {"near": {"terms": terms, "within": int(within), **ordered}}

    def _place(self, depth: int) -> Any:
        token = self.peek
        if token.kind == "scope":
            self._next()
            return self._scoped(token, depth)
        if token.kind == "open":
            self._next()
            value = self.query(depth + 1)
            if self.peek.kind != "close":
                raise self.unexpected("add the closing )")
            self._next()
            return value
        if token.kind not in {"quoted", "word"}:
            raise self.unexpected("write a word, a phrase in quotes, a $concept or ( )")
        return _term(self._next())

    def _scoped(self, token: _Token, depth: int) -> Any:
        names = token.text.split("+")
        if len(names) == 1 and names[0] in KEYS:
            if self.peek.kind not in {"quoted", "word"}:
                raise self.unexpected(f"write {names[0]}:text")
            pattern = names[0] == "regex"  # has its own use for a doubled backslash
            return {names[0]: _pattern(self._next()) if pattern else _text(self._next())}
        if not FIELDS.issuperset(names):
            raise QueryError(
                f"character {token.at}: {token.text!r} mixes fields and facts", "use AND"
            )
        inner = self._place(depth + 1)
        if isinstance(inner, str):
            return {"phrase": inner, "in": names}
        return inner | {"in": names} if "in" not in inner else {"all": [inner], "in": names}


def _text(token: _Token) -> str:
    r"""In quotes `\"` is a quote and `\\` a backslash; every other backslash stays (`\d`)."""
    if token.kind != "quoted":
        return token.text
    return re.sub(r'\\(["\\])', r"\1", token.text[1:-1])


def _pattern(token: _Token) -> str:
    return token.text[1:-1].replace(r"\"", '"') if token.kind == "quoted" else token.text


def _term(token: _Token) -> Any:
    """Said to be a phrase when it would read as a query of its own."""
    text = _text(token)
    return {"phrase": text} if is_query(text) else text
