"""Execute notebooks without Jupyter: all code cells of each, in order, in a fresh interpreter.

Usage: run_notebooks.py FOLDER. Exit status 1 if a notebook fails. Cells are plain Python (no magics).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def source_of(notebook: Path) -> str:
    """Join the code cells of a notebook into one script, each under a comment that says which cell it was."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [(number, "".join(cell["source"])) for number, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]
    return "\n\n".join(f"# cell {number}\n{text}" for number, text in code)


def run(notebook: Path) -> bool:
    """Execute one notebook in its own folder; its output goes to the terminal."""
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / f"{notebook.stem}.py"
        script.write_text(source_of(notebook), encoding="utf-8")
        environment = {**os.environ, "MPLBACKEND": "Agg"}
        done = subprocess.run([sys.executable, str(script)], cwd=notebook.parent, env=environment, check=False)
    print(f"{notebook.name}: {'ok' if done.returncode == 0 else 'FAILED'}", file=sys.stderr)
    return done.returncode == 0


def main() -> int:
    """Execute the folder's notebooks in the order of their numbers."""
    notebooks = sorted(Path(sys.argv[1]).glob("[0-9]*.ipynb"))
    if not notebooks:
        print(f"no notebooks in {sys.argv[1]}", file=sys.stderr)
    failed = [notebook for notebook in notebooks if not run(notebook)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
