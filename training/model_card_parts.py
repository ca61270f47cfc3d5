"""The parts of a model card: HTML that escapes what it is given and needs neither network nor script."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from training.model_card_style import STYLE
from training.svg import Markup, plain

__all__ = [
    "Markup",
    "absent",
    "bullets",
    "capital",
    "code",
    "figure",
    "joined",
    "legend",
    "note",
    "page",
    "paragraph",
    "pill",
    "prose",
    "records",
    "section",
    "side_by_side",
    "table",
    "tiles",
    "with_first",
]

Tone = Literal["good", "bad", "warn", "unsure", ""]
# Nothing may be loaded from anywhere, and no script may run, whatever a text holds.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
QUOTED: Final = re.compile(r"`([^`\n]+)`")
# Tables of so few columns are as wide as their text.
NARROW: Final = 3
DASH: Final = "\N{EN DASH}"
# Where a page has its line below the heading, its list of sections, and the sections.
SUB: Final = '<p class="sub">'
LINKS: Final = '<nav aria-label="Sections"><ul>'
CONTENT: Final = '<main id="content">\n'


def prose(text: str) -> Markup:
    """Escape a sentence; what stands between backticks becomes code.

    >>> prose("beats `a<b`")
    'beats <code>a&lt;b</code>'
    """
    return text if isinstance(text, Markup) else Markup(QUOTED.sub(r"<code>\1</code>", plain(text)))


def capital(text: str) -> str:
    """Begin a text with a capital letter.

    >>> capital("the model"), capital("")
    ('The model', '')
    """
    return text[:1].upper() + text[1:]


def sentence(text: Any) -> str:
    """Make a sentence of a text: a capital, and one full stop.

    >>> sentence("so it is"), sentence("So it is."), sentence("")
    ('So it is.', 'So it is.', '')
    """
    told = str(text).strip()
    return f"{capital(told).removesuffix('.')}." if told else ""


def code(text: str) -> Markup:
    """Give a name from the data as code."""
    return Markup(f"<code>{plain(text)}</code>")


def joined(*parts: str) -> Markup:
    """Put texts and markup behind each other."""
    return Markup("".join(prose(part) for part in parts))


def paragraph(*parts: str) -> Markup:
    """Give a paragraph."""
    return Markup(f"<p>{joined(*parts)}</p>")


def absent(text: str) -> Markup:
    """Say that something is not there, and why."""
    return Markup(f'<p class="absent">{prose(text)}</p>')


def bullets(items: Iterable[str]) -> Markup:
    """Give a list; nothing for no items."""
    lines = "".join(f"<li>{prose(item)}</li>" for item in items)
    return Markup(f"<ul>{lines}</ul>" if lines else "")


def note(tone: Tone, *texts: str) -> Markup:
    """Give paragraphs set apart from the text."""
    return Markup(f'<div class="note {tone}">{"".join(paragraph(text) for text in texts)}</div>')


def pill(text: str, tone: Tone = "") -> Markup:
    """Give a short word that catches the eye."""
    return Markup(f'<span class="pill {tone}">{plain(text)}</span>')


def tiles(items: Iterable[tuple[str, str, str]]) -> Markup:
    """Give figures in boxes: (name, value, what to know of it)."""
    boxes = "".join(
        f'<li><span class="name">{prose(name)}</span><span class="value">{prose(value)}</span>'
        f'<span class="more">{prose(more)}</span></li>'
        for name, value, more in items
    )
    return Markup(f'<ul class="tiles">{boxes}</ul>')


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    texts: Sequence[int] = (),
    ours: int | None = None,
) -> Markup:
    """Give a table; the first cell of a row is its heading.

    Args:
        caption: what the table holds.
        headings: of the columns.
        rows: cells, escaped unless they are markup.
        texts: places of columns that hold words (aligned to the left).
        ours: place of the row that is set off.
    """
    left = {0, *texts}
    css = [' class="text"' if place in left else "" for place in range(len(headings))]
    head = "".join(f'<th scope="col"{css[place]}>{prose(text)}</th>' for place, text in enumerate(headings))
    body = []
    for number, row in enumerate(rows):
        first = f'<th scope="row">{prose(row[0])}</th>'
        rest = "".join(f"<td{css[place]}>{prose(cell)}</td>" for place, cell in enumerate(row) if place)
        body.append(f'<tr class="ours">{first}{rest}</tr>' if number == ours else f"<tr>{first}{rest}</tr>")
    narrow = ' class="fit"' if len(headings) <= NARROW else ""
    return Markup(
        f'<div class="wide"><table{narrow}><caption>{prose(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def records(caption: str, found: Sequence[Any]) -> Markup:
    """Give JSON objects as a table, whatever their keys; what is no list of objects becomes sentences."""
    rows = [row for row in found if isinstance(row, dict)]
    if not rows:
        return bullets(shown(item) for item in found)
    keys = list(dict.fromkeys(key for row in rows for key in row))
    headings = [str(key).replace("_", " ") for key in keys]
    words = [place for place, key in enumerate(keys) if any(isinstance(row.get(key), str) for row in rows)]
    return table(caption, headings, ([shown(row.get(key)) for key in keys] for row in rows), texts=words)


def shown(value: Any) -> str:
    """Write a JSON value for people."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{str(key).replace('_', ' ')} {shown(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value)
    return str(value)


def legend(*entries: tuple[str, str]) -> Markup:
    """Give a legend: (class of the colour, text)."""
    items = "".join(f'<li><i class="{css}"></i>{prose(text)}</li>' for css, text in entries)
    return Markup(f'<ul class="legend">{items}</ul>')


def figure(
    caption: str, charts: Sequence[tuple[str, Markup]], key: Markup | None = None, *, one: bool = False
) -> Markup:
    """Give charts side by side under one caption: (heading, or nothing, and SVG); `one` gives each the whole width."""
    cells = "".join(f"<div>{f'<h4>{prose(title)}</h4>' if title else ''}{drawn}</div>" for title, drawn in charts)
    return Markup(
        f'<figure>{key or ""}<div class="charts{" one" if one else ""}">{cells}</div>'
        f"<figcaption>{prose(caption)}</figcaption></figure>"
    )


def side_by_side(*parts: str) -> Markup:
    """Put small parts beside each other where there is room."""
    return Markup(f'<div class="beside">{"".join(f"<div>{prose(part)}</div>" for part in parts)}</div>')


def section(name: str, title: str, *parts: str, css: str = "") -> Markup:
    """Give a section with its heading; `name` is its anchor."""
    return Markup(
        f'<section id="{name}" class="{css}" aria-labelledby="{name}-h"><h2 id="{name}-h">{prose(title)}</h2>'
        f"{joined(*parts)}</section>\n"
    )


def page(
    title: str, parts: Iterable[str], *, kicker: str, sub: str, links: Sequence[tuple[str, str]], foot: str
) -> str:
    """Give the whole page.

    Args:
        title: heading and title of the page.
        parts: the sections.
        kicker: the small line above the heading.
        sub: the line below it.
        links: (anchor, text) of the sections.
        foot: the last line.
    """
    listed = "".join(_link(name, text) for name, text in links)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{plain(title)}</title><style>{STYLE}</style></head>\n"
        f'<body><a class="skip" href="#content">Skip to the content</a>\n<header><p class="kicker">{prose(kicker)}</p>'
        f"<h1>{prose(title)}</h1>{SUB}{prose(sub)}</p>"
        f"{LINKS}{listed}</ul></nav></header>\n"
        f"{CONTENT}{''.join(prose(part) for part in parts)}</main>\n"
        f"<footer><p>{prose(foot)}</p></footer></body></html>\n"
    )


def with_first(text: str, first: str, *, link: tuple[str, str], sub: str) -> str | None:
    """Put a section before all others of a page; texts in a page are escaped, so its places occur once.

    Args:
        text: what `page` gave.
        first: the section.
        link: (anchor, text) of it.
        sub: the line below the heading, instead of the one that there is.

    Returns:
        The whole page; None where the text is no such page.
    """
    head, content, body = text.partition(CONTENT)
    before, line, after = head.partition(SUB)
    middle, links, listed = after.partition(LINKS)
    _, end, rest = middle.partition("</p>")
    if not (content and line and links and end):
        return None
    return f"{before}{SUB}{prose(sub)}{end}{rest}{LINKS}{_link(*link)}{listed}{CONTENT}{prose(first)}{body}"


def _link(name: str, text: str) -> str:
    return f'<li><a href="#{name}">{prose(text)}</a></li>'
