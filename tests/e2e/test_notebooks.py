"""The notebooks: executed in order in fresh interpreters, committed without outputs, defining nothing themselves."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
ASKED = ("01_retrain_on_history", "02_is_my_data_leaking", "03_rules_against_model")


def cells(notebook: Path) -> list[dict]:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def code(notebook: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(notebook) if cell["cell_type"] == "code"]


def test_the_notebooks_are_there_in_order():
    assert tuple(notebook.stem for notebook in NOTEBOOKS) == ASKED


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped_and_every_cell_is_plain_python(notebook):
    data = json.loads(notebook.read_text(encoding="utf-8"))
    assert (data["nbformat"], data["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in data["cells"]}) == len(data["cells"])
    for cell in data["cells"]:
        assert set(cell) <= {"cell_type", "id", "metadata", "source", "outputs", "execution_count"}
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
    assert data["cells"][0]["cell_type"] == "markdown"
    assert "".join(data["cells"][0]["source"]).startswith("# ")
    for text in code(notebook):
        ast.parse(text)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_calls_the_packages_and_defines_nothing(notebook):
    for text in code(notebook):
        kinds = {type(node) for node in ast.walk(ast.parse(text))}
        assert not kinds & {ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}
    assert sum("subplots" in text for text in code(notebook)) >= 2


def test_an_axis_says_leads_only_where_a_lead_has_one_row():
    """Test rows are snapshots, several of a lead; at one age they are leads."""
    found = {notebook.stem: [text for text in code(notebook) if "gains_curve(" in text] for notebook in NOTEBOOKS}
    (of_leads,), (of_snapshots,) = found[ASKED[0]], found[ASKED[2]]
    assert 'rows = first.test.filter(pl.col("age") == main_age(first.test))' in of_leads
    assert "share of leads contacted" in of_leads
    assert "gains_curve(y, trained.test[name]" in of_snapshots
    assert of_snapshots.count("share of snapshots") == 2
    assert "of leads" not in of_snapshots


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook, tmp_path):
    """Run every cell as `make notebooks` does, warnings shown, in a folder of its own for what it writes."""
    source = "\n\n".join(code(notebook))
    script = tmp_path / f"{notebook.stem}.py"
    script.write_text(source, encoding="utf-8")
    environment = {**os.environ, "MPLBACKEND": "Agg", "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=notebook.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    pages = list(tmp_path.glob("leadlight-*/workspace/reports/model_cards/*.html"))
    assert pages
    assert all(page.name.removesuffix(".html") in done.stdout for page in pages)
    assert not list((ROOT / "notebooks").glob("workspace"))
