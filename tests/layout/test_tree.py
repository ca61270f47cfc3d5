import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.layout.repository import PACKAGES, ROOT, project, tracked_files, tracked_texts

FOLDERS = {
    *PACKAGES,
    ".ci",
    "benchmarks",
    "deploy",
    "docs",
    "examples",
    "mlflow",
    "notebooks",
    "tests",
    "tools",
}
FILES = {
    ".dockerignore",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.ja.md",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
    "requirements.lock",
}
DATA = {".csv", ".tsv", ".gz", ".zip", ".parquet", ".ndjson", ".jsonl", ".xes", ".arrow", ".xlsx", ".db", ".sqlite"}
PICKLES = {".pkl", ".pickle", ".joblib", ".npy", ".npz", ".skops", ".dill"}
GOLDEN_BYTES = 50_000


def test_the_root_holds_the_planned_folders_and_files():
    assert {path.parts[0] for path in tracked_files() if len(path.parts) > 1} <= FOLDERS
    assert {path.name for path in tracked_files() if len(path.parts) == 1} <= FILES


def test_the_wheel_holds_the_six_packages():
    assert tuple(project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES


def test_no_package_shadows_an_installed_one():
    owners = packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, ["leadlight"])) == {"leadlight"}


def test_mlflow_holds_no_python_and_the_installed_one_wins_from_here():
    assert not list((ROOT / "mlflow").rglob("*.py"))
    code = "import importlib.util; print(importlib.util.find_spec('mlflow').origin)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    origin = Path(found.stdout.strip())
    assert origin.name == "__init__.py"
    assert origin.parent != ROOT / "mlflow"


def test_every_folder_of_tests_is_a_package():
    folders = {path.parent for path in tracked_files() if path.parts[0] == "tests" and path.suffix == ".py"}
    folders |= {parent for folder in folders for parent in folder.parents if parent != Path()}
    assert [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("drawer", ["utils", "util", "helpers", "helper", "common", "misc"])
def test_there_is_no_drawer(drawer):
    assert [str(path) for path in tracked_files() if path.stem == drawer and path.suffix == ".py"] == []


def test_package_inits_import_nothing():
    inits = [path for path in tracked_files() if path.name == "__init__.py" and path.parts[0] in PACKAGES]
    assert len(inits) >= len(PACKAGES)
    for path in inits:
        for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            assert set(names) <= {"typing"}, f"{path} line {node.lineno} imports {names}"


def test_no_data_and_no_pickles_are_tracked():
    found = []
    for path in tracked_files():
        golden = path.parts[0] == "tests" and (ROOT / path).stat().st_size <= GOLDEN_BYTES
        if path.suffix in PICKLES or (path.suffix in DATA and not golden):
            found.append(str(path))
    assert found == []


# Written so that this file does not match itself.
FORBIDDEN = {
    "the address of a package registry": re.compile(
        r"--(extra-)?index-url|-[-]find-links|-[-]trusted-host|https?://[^\s\"']*/simple(/|[\s\"']|$)"
        r"|[p]ypi\.(org|python)|[p]ythonhosted\.|[r]egistry\.npmjs"
    ),
    "a path of somebody's machine": re.compile(
        r"/(home|Users)/[a-z][\w.-]*/|/[r]oot/|/[w]ork/(main|shared)|" + re.escape(f"{ROOT}/")
    ),
    "a private key or token": re.compile(r"-----[B]EGIN [A-Z ]*PRIVATE KEY|[A]KIA[0-9A-Z]{16}|[g]hp_[A-Za-z0-9]{36}"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what):
    found = [
        f"{path} line {number}"
        for path, text in tracked_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("the address of a package registry", "pip install --index" + "-url x"),
        ("the address of a package registry", "https://example.com/" + "simple/"),
        ("a path of somebody's machine", "open('/home" + "/jane/data')"),
    ],
)
def test_the_patterns_find_what_they_look_for(what, line):
    assert FORBIDDEN[what].search(line)


def test_relative_links_of_the_documentation_lead_somewhere():
    link = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
    pages = {path: text for path, text in tracked_texts().items() if path.suffix == ".md"}
    assert pages
    broken = [
        f"{path}: {target}"
        for path, text in pages.items()
        for target in link.findall(text)
        if not (ROOT / path.parent / target).exists()
    ]
    assert broken == []
