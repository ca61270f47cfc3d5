"""Tables of the generated pages."""

from collections.abc import Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Render a table; a bar inside a cell would end it and becomes a slash.

    >>> print(table(("a", "b"), [("1", "2|3")]))
    | a | b |
    | --- | --- |
    | 1 | 2/3 |
    """
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
