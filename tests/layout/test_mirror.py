"""Tests mirror the packages: one concept, one file, one test file of the same name.

A module may also be tested beside a sibling (a private part, a cli): then a test file of its package must import it.
A folder of small siblings (a family) may have one test file of the folder's name.
"""

import ast
from pathlib import Path

import pytest

from tests.layout.repository import PACKAGES, ROOT, python_modules


def imported_names(test_file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(test_file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_a_test(package):
    test_files = sorted((ROOT / "tests" / package).rglob("test_*.py"))
    tested = set().union(*(imported_names(path) for path in test_files))
    without = []
    for module in python_modules(package):
        own = ROOT / "tests" / module.with_name(f"test_{module.stem.strip('_')}.py")
        of_folder = (ROOT / "tests" / module.parent).with_name(f"test_{module.parent.name}.py")
        dotted = ".".join(module.with_suffix("").parts)
        if "migrations" in module.parts:
            continue  # scripts that Alembic finds and runs by their folder
        if not own.is_file() and not of_folder.is_file() and dotted not in tested:
            without.append(str(module))
    assert not without, f"no test file under tests/{package} has the name of, or imports: {', '.join(without)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_test_file_outlives_its_module(package):
    """A file named like a module tests it; other files say what they test by importing something of the package."""
    for path in sorted((ROOT / "tests" / package).rglob("test_*.py")):
        relative = path.relative_to(ROOT / "tests")
        stem = path.stem.removeprefix("test_")
        named = any((ROOT / relative.with_name(name)).exists() for name in (f"{stem}.py", f"__{stem}__.py", stem))
        assert named or any(name.partition(".")[0] == package for name in imported_names(path)), str(relative)
