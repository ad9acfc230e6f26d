"""The growth curve as a picture: what a check costs with so many live claims.

pip install 'matplotlib>=3.10,<4'
python -m benchmarks.compare --other other=/path/to/other/bin/coord-api --json figures.json
python -m benchmarks.curve figures.json docs/images/growth.svg
"""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path

FIGURE = re.compile(r"GET /conflicts, (\d+) live \(ms\)")
MARKS = ("o-", "s--", "^:")


def main(figures: str, picture: str) -> None:
    """Read what ``benchmarks.compare --json`` wrote and draw it."""
    plot = import_module("matplotlib.pyplot")
    import_module("matplotlib").rcParams.update({"svg.hashsalt": "coord", "font.size": 11})
    found = json.loads(Path(figures).read_text(encoding="utf-8"))
    _, axes = plot.subplots(figsize=(7, 4))
    for (name, values), mark in zip(found.items(), MARKS, strict=False):
        points = sorted((int(hit[1]), value) for key, value in values.items() if (hit := FIGURE.match(key)))
        label = "coord" if name == "ours" else name
        axes.plot([live for live, _ in points], [value for _, value in points], mark, label=label)
    axes.set(xscale="log", yscale="log", xlabel="live claims", ylabel="GET /conflicts, ms (median)")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(frameon=False)
    plot.savefig(picture, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:3])
