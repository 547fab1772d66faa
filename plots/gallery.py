"""Draws the gallery: every record in results/, as figures and a page that lists them.

    python plots/gallery.py [results folder] [gallery folder]

Needs the `busbar` package installed (`scripts/setup`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from busbar.errors import BusbarError
from busbar.report.files import read
from busbar.report.static import draw

_ROOT = Path(__file__).resolve().parents[1]


def main(results: Path, gallery: Path) -> None:
    """Draw all records of `results` into `gallery`. Raises UsageError for what is no record."""
    records = sorted(results.glob("*.json"))
    dashed = "Dashed lines are bounds, and the gains that they allow."
    lines = ["# Gallery", "", f"Made by `python plots/gallery.py`. {dashed}"]
    for record in records:
        judged, sources = read([record], None)
        folder = gallery / record.stem
        lines += ["", f"## {record.stem}", "", f"From `{sources[0].file}`."]
        for path in draw(judged, folder):
            if path.suffix == ".png":
                lines += ["", f"![{path.stem}]({folder.name}/{path.name})"]
    if not records:
        lines += ["", "No record yet."]
    gallery.mkdir(parents=True, exist_ok=True)
    (gallery / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(records)} records drawn into {gallery}")


if __name__ == "__main__":
    defaults = [_ROOT / "results", _ROOT / "plots" / "gallery"]
    arguments = [Path(argument) for argument in sys.argv[1:3]]
    try:
        main(*arguments, *defaults[len(arguments) :])
    except BusbarError as error:
        raise SystemExit(error.message) from None
