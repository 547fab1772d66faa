"""What every page is made with: templates, assets, and data that cannot break out of the page."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from busbar.report import text


def environment() -> Environment:
    """Templates, which escape everything."""
    found = Environment(
        loader=PackageLoader("busbar.report", "assets"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["text"] = text
    return found


def embedded(value: object) -> Markup:
    """JSON that cannot end the script element it stands in, whatever a record says."""
    encoded = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in ("&", "<", ">", "\u2028", "\u2029"):
        encoded = encoded.replace(character, f"\\u{ord(character):04x}")
    return Markup(encoded)


def asset(name: str) -> Markup:
    """A file beside the templates, as it is."""
    return Markup((files("busbar.report") / "assets" / name).read_text(encoding="utf-8"))


def busbar_version() -> str:
    """Of the installed package."""
    try:
        return version("busbar")
    except PackageNotFoundError:
        return "(version not known)"
