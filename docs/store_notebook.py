"""The notebook with the outputs of a whole run, as it is committed: nothing of the machine that ran it.

    papermill cnn.ipynb results/cnn.ipynb && python -m docs.store_notebook results/cnn.ipynb

Takes the outputs of a run and keeps the source that cnn.ipynb has. The page to write on is left out: its address is gone.
Run it on the default set, so that no person's handwriting is stored.
"""

import argparse
import json
import sys
from pathlib import Path

NOTEBOOK = Path(__file__).resolve().parent.parent / "cnn.ipynb"


def store(ran: dict, stored: dict) -> dict:
    """`stored` with the outputs of `ran`. Both are notebooks, as JSON; raises ValueError where they are not of the same cells."""
    injected = "injected-parameters"
    cells = [cell for cell in ran["cells"] if injected not in cell["metadata"].get("tags", [])]
    sources = ["".join(cell["source"]) for cell in cells]
    if sources != ["".join(cell["source"]) for cell in stored["cells"]]:
        raise ValueError("the run is of other cells than cnn.ipynb has now; run it again")
    count = 0
    for cell, own in zip(cells, stored["cells"]):
        if own["cell_type"] != "code":
            continue
        count += 1
        own["execution_count"], outputs = count, cell["outputs"]
        if "pad" in own["metadata"]["tags"]:
            outputs = []
        for output in outputs:
            output.get("metadata", {}).clear()
            output.pop("execution_count", None)
        own["outputs"] = outputs
    return stored


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="the notebook that papermill wrote")
    args = parser.parse_args(argv)
    try:
        notebook = store(*(json.loads(path.read_text("utf-8")) for path in (args.run, NOTEBOOK)))
    except ValueError as error:
        sys.exit(f"store_notebook: {error}")
    NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{NOTEBOOK.name}: outputs of {args.run.name}, {NOTEBOOK.stat().st_size / 1000:,.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
