"""The templates and what they may call: everything that a template prints is escaped unless it was made here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from leaderboard.site.strangers import clean, safe_link, shortened

if TYPE_CHECKING:
    from jinja2 import Environment

# What a page may load: files beside it, and pictures written into it. Browsers take 'self' of a page from file:// for
# files. Styles in elements are needed by plotly and by DataTables.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self'; font-src 'self' data:; connect-src 'none'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'"
)

NAVIGATION = (
    ("index.html", "Rankings"),
    ("compare.html", "Compare"),
    ("protocols.html", "Protocols"),
    ("datasets.html", "Data sets"),
    ("submit.html", "Submit"),
    ("changes.html", "Changes"),
)

STATUS_WORDS = {
    "reported": "printed in a paper; nobody has scored the predictions here",
    "submitted": "sent with a report, whose numbers nobody else has computed",
    "verified": "scored again by a maintainer, with the same result",
}


@cache
def environment() -> Environment:
    """The environment of all templates."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    folder = resources.files("leaderboard.site") / "templates"
    made = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters.update(clean=clean, shortened=shortened, paragraphs=paragraphs, percent=percent)
    made.tests["link"] = lambda text: safe_link(text) is not None
    made.globals.update(content_policy=CONTENT_POLICY, navigation=NAVIGATION, status_words=STATUS_WORDS)
    made.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False, "separators": (",", ":")}
    return made


def percent(value: float | None) -> str:
    """A fraction in per cent with two decimals, a dash where there is none."""
    return "–" if value is None else f"{100 * value:.2f}"


def paragraphs(text: object) -> list[str]:
    """The paragraphs of a stranger's text."""
    return [part.strip() for part in clean(text, lines=True).split("\n\n") if part.strip()]


def render(template: str, address: str, content: Mapping[str, Any]) -> str:
    """One page.

    Parameters
    ----------
    template : str
        Name of its file.
    address : str
        Of the page in the site, such as ``methods/my-method/ucsd-ped2.html``.
    content : mapping
        What the template reads.
    """
    root = "../" * address.count("/")
    return environment().get_template(template).render(root=root, address=address, **content)
