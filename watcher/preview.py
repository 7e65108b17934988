"""A digest as a page and as text, by the receiver's own templates."""

from watcher.config.load import Config
from watcher.model import Digest
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer
from watcher.resources import bundled


def renderer_of(config: Config) -> TemplateRenderer:
    """The user's templates before the shipped ones."""
    folders = [config.templates] if config.templates else []
    return TemplateRenderer([*folders, bundled("templates")])


def render_preview(config: Config, digest: Digest) -> tuple[str, str]:
    """HTML and text."""
    renderer = renderer_of(config)
    name = config.receivers[digest.receiver].template
    return renderer.render(f"{name}.html.j2", digest), renderer.render(f"{name}.txt.j2", digest)


def template_problems(config: Config) -> list[str]:
    """What is wrong with any template, found out with an invented digest."""
    return renderer_of(config).check(sample_digest())
