"""What the layout tests look at: the repository's files as git sees them."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("leadlight", "features", "rules", "scoring", "training", "serving")
NOT_OURS = {".git", ".venv", "__pycache__", "workspace", "market", "build", "dist"}
# Modules that a scoring process must never load, and that no `--help` needs.
HEAVY = (
    "polars",
    "narwhals",
    "pandas",
    "pyarrow",
    "sklearn",
    "scipy",
    "shap",
    "mlflow",
    "duckdb",
    "optuna",
    "matplotlib",
)


@cache
def tracked_files() -> tuple[Path, ...]:
    """Give the files of the repository relative to its root (without git: whatever lies in the folder)."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        paths = [Path(name) for name in listed.stdout.split("\0") if name]
    else:
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        paths = [path for path in paths if not any(part in NOT_OURS or part.endswith("_cache") for part in path.parts)]
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


@cache
def tracked_texts() -> dict[Path, str]:
    """Give the text files of the repository with their content."""
    texts = {}
    for path in tracked_files():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            texts[path] = content.decode("utf-8", errors="replace")
    return texts


@cache
def project() -> dict:
    """Read pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python_modules(package: str) -> list[Path]:
    """Give the modules of a package (files, relative to the root), `__init__` left out."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py")
