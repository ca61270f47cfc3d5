"""Report functions and modules that outgrow the budget; it reports and never fails. Usage: function_lengths.py.

The budget: functions usually under 30 lines (docstring not counted) and never over 80, modules under 400 lines.
"""

import ast
from pathlib import Path

PACKAGES = ("leadlight", "features", "rules", "scoring", "training", "serving", "benchmarks", "tools")
LONG_FUNCTION = 60
LONG_MODULE = 400


def function_lengths(path: Path) -> list[tuple[int, str]]:
    """Give the length of every function of a file in lines without its docstring, and where it stands."""
    lengths = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0]
        documented = ast.get_docstring(node, clean=False) is not None
        doc_lines = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
        lengths.append(((node.end_lineno or node.lineno) - node.lineno + 1 - doc_lines, f"{path}:{node.lineno}"))
    return lengths


def main() -> None:
    """Print the distribution of function lengths and what is over the budget."""
    files = [path for package in PACKAGES for path in sorted(Path(package).rglob("*.py"))]
    lengths = sorted(item for path in files for item in function_lengths(path))
    if not lengths:
        return
    p90 = lengths[int(0.9 * (len(lengths) - 1))][0]
    median = lengths[len(lengths) // 2][0]
    print(f"functions: {len(lengths)}, lines median {median}, p90 {p90}, max {lengths[-1][0]}")
    for length, where in reversed(lengths):
        if length > LONG_FUNCTION:
            print(f"  long function: {where} has {length} lines")
    for path in files:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LONG_MODULE:
            print(f"  long module: {path} has {lines} lines")


if __name__ == "__main__":
    main()
