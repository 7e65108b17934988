"""Jinja2 templates to text. Templates belong to the operator, what they show is hostile: escaped last."""

import re
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import css_inline
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.environment import Environment, Template
from jinja2.exceptions import SecurityError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from watcher.errors import RenderError
from watcher.model import Digest
from watcher.render.filters import FILTERS
from watcher.text import clean_characters

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.$-]*\.j2")


class TemplateRenderer:
    """Renders `NAME.html.j2` escaped and inlined, everything else as plain text.

    `folders` are searched in order, the user's before the shipped one, so that a user's
    `_story.html.j2` replaces one part only. Templates are read and compiled once; a
    reload builds a new renderer.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._env = _environment(self._folders)
        self._inliner = css_inline.CSSInliner(
            load_remote_stylesheets=False,  # its default fetches what a template links
            keep_at_rules=True,  # dark mode and narrow screens live in @media
            minify_css=True,
            resolve_css_variables=True,
        )

    def render(self, template: str, digest: Digest, **context: object) -> str:
        """Raise `RenderError` naming template and line."""
        try:
            text = self._load(template).render(digest=digest, **context)
        except RenderError:
            raise
        except Exception as error:
            # A template can raise whatever Python can; its author needs the line, not our stack.
            raise RenderError(_explain(template, error)) from error
        return self._inline(text) if template.endswith(".html.j2") else text

    def page(self, template: str, **context: object) -> str:
        """A page for a browser that shows no digest: escaped, its styles left where they are."""
        try:
            return self._load(template).render(**context)
        except RenderError:
            raise
        except Exception as error:
            raise RenderError(_explain(template, error)) from error

    def _inline(self, html: str) -> str:
        """Styles into the elements, and the charset first: readers look for it in 1,024 bytes."""
        return self._inliner.inline(html).replace("<head>", '<head><meta charset="utf-8">', 1)

    def names(self) -> list[str]:
        """Every template there is, the user's and the shipped ones, partials included."""
        return sorted(name for name in self._env.list_templates() if _NAME.fullmatch(name))

    def check(self, sample: Digest) -> list[str]:
        """What is wrong with any template: all are compiled, whole ones rendered with `sample`."""
        problems = []
        for name in self.names():
            try:
                if name.startswith("_"):
                    self._load(name)
                else:
                    self.render(name, sample)
            except RenderError as error:
                problems.append(str(error))
        return problems

    def _load(self, name: str) -> Template:
        if not _NAME.fullmatch(name):
            raise RenderError(f"{name!r}: not a template's name: write it like digest.html.j2")
        try:
            return self._env.get_template(name)
        except (TemplateError, OSError, UnicodeDecodeError) as error:
            raise RenderError(_explain(name, error)) from error


class _FlatLoader(FileSystemLoader):
    """Names only, no paths: an include can't leave the template folders."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        if not _NAME.fullmatch(template):
            raise TemplateNotFound(template)
        return super().get_source(environment, template)


def _environment(folders: Sequence[Path]) -> Environment:
    env = ImmutableSandboxedEnvironment(
        loader=_FlatLoader([str(folder) for folder in folders]),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )
    env.globals = {"range": env.globals["range"], "namespace": env.globals["namespace"]}
    env.filters.update(FILTERS)
    # Building text with feed data as the format string is how sandboxes were left before.
    for name in ("format", "xmlattr", "pprint", "random", "filesizeformat"):
        env.filters.pop(name)
    return env


def _clean(value: object) -> object:
    """No control, bidi or invisible character leaves a template, whatever brought it there."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return clean_characters(value)


def _explain(template: str, error: BaseException) -> str:
    """`digest.html.j2:12: 'storys' is undefined`."""
    if isinstance(error, TemplateNotFound):
        return f"{template}: there is no template {error.name!r}: check its name and folder"
    if isinstance(error, TemplateSyntaxError):
        return f"{error.name or template}:{error.lineno}: {error.message}"
    where = template
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.endswith(".j2"):
            where = f"{Path(frame.filename).name}:{frame.lineno}"
    what = "not allowed in a template: " if isinstance(error, SecurityError) else ""
    return f"{where}: {what}{str(error) or type(error).__name__}"
