"""What distorted photos still find, by every model given: the tables and pictures of docs/robustness.md.

python -m benchmarks.embed.robustness [--model NAME ...] [--queries N] [--threads N] [--quick]

It does what these two commands do, and puts the tables between the marks in docs/robustness.md:
lookalike eval $LOOKALIKE_DATA/photos --queries N --plot docs/images/robustness.png --markdown TABLES
lookalike eval examples/photos --examples docs/images/robustness-examples.jpg --subject PHOTO
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from benchmarks import machine
from benchmarks.datasets import ROOT, data_folder

MODELS = ("pixels-32", "efficientnet-lite0")
SUBJECT = ROOT / "examples" / "photos" / "castle-chambord.jpg"
MARKS = re.compile(r"(<!-- measured by: [^>]*-->).*?<!-- end -->", re.DOTALL)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embed.robustness", description=__doc__)
    parser.add_argument("--model", action="append", help=f"may be given again (default: {', '.join(MODELS)})")
    parser.add_argument("--queries", type=int, default=205, help="photos searched for (default: 205)")
    parser.add_argument("--threads", type=int, default=2, help="CPUs to use")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few photos of examples/photos, nothing in docs/: shows that it runs",
    )
    options = parser.parse_args()
    machine.hold_to(options.threads)
    return options


def main() -> None:
    options = arguments()
    from lookalike.embed import open_embedder

    models = [open_embedder(name, threads=options.threads) for name in options.model or MODELS]
    if options.quick:
        with tempfile.TemporaryDirectory() as folder:
            print(measure_and_draw(models, 10, ROOT / "examples" / "photos", Path(folder)))
        return
    page = ROOT / "docs" / "robustness.md"
    before, marked, after = MARKS.split(page.read_text(encoding="utf-8"))
    tables = measure_and_draw(models, options.queries, data_folder() / "photos", ROOT / "docs" / "images")
    page.write_text(f"{before}{marked}\n\n{tables}\n<!-- end -->{after}", encoding="utf-8")
    print(tables)


def measure_and_draw(models, queries: int, folder: Path, images: Path) -> str:
    """Draw the plot of a folder and the sheet of examples/photos; return the tables of the folder."""
    from lookalike.library.sheet import save_sheet
    from lookalike.robustness import measure
    from lookalike.robustness.plot import draw_plot
    from lookalike.robustness.sheet import draw_examples
    from lookalike.robustness.table import document

    found = measure(folder, models, queries=queries, progress=True)
    draw_plot(found, images / "robustness.png")
    # Only photos that may be shown are shown.
    shown = measure(SUBJECT.parent, models, queries=1)
    save_sheet(draw_examples(shown, models, SUBJECT), images / "robustness-examples.jpg")
    return document(found)


if __name__ == "__main__":
    main()
