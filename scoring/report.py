"""The curve of thresholds to look at: a PNG, and one HTML page that loads nothing from anywhere.

Labels in the figure are English (fonts differ between machines); the page's own words are in the chosen language.
"""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadlight.vocabulary import Lang
from leadlight.wording import number
from leadlight.workspace import Workspace, file_atomically, write_text_atomically
from scoring.advice import RATES, percent
from scoring.thresholds import Recommendation
from scoring.wish import Wish

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curve = Mapping[str, Any]

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Thresholds", "閾値の検討"),
    "model": ("Model score", "モデルのスコア"),
    "rules": ("Rule points", "配点表の点数"),
    "period": ("Period", "対象期間"),
    "target": ("Target range and capacity", "目標範囲と対応可能件数"),
    "threshold": ("Threshold", "閾値"),
    "volume": ("MQLs a week", "MQL(週)"),
    "interval": ("95 % interval", "95 %区間"),
    "wins": ("Wins caught", "捕捉できる成果"),
    "lead_to_mql": ("Lead to MQL", "リード→MQL"),
    "mature": ("Outcome known", "結果確定"),
    "crossings": ("First crossings", "初回到達"),
    "unlimited": ("no limit", "上限なし"),
    "nearest": ("nearest", "最も近い"),
    "recommended": ("recommended", "推奨"),
    "current": ("current", "現在"),
}
STYLE: Final = (
    "body{font-family:system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #ddd}"
    "tr.recommended{background:#e3f1e3;font-weight:600}tr.current{background:#f3efe0}img{max-width:100%}"
)
GREEN, BLUE, GREY, ORANGE = "#2f7d32", "#1f5fa8", "#666666", "#b55b00"


def figure(curves: Mapping[str, Curve], found: Mapping[str, Recommendation], wish: Wish) -> bytes:
    """Draw rate, volume and wins over the threshold, one column per basis; gives a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  (heavy)
    from matplotlib.figure import Figure  # noqa: PLC0415

    drawing = Figure(figsize=(6.4 * len(curves), 7.2), layout="constrained")
    FigureCanvasAgg(drawing)
    axes = drawing.subplots(3, len(curves), sharex="col", squeeze=False)
    for column, (basis, curve) in enumerate(curves.items()):
        top, middle, bottom = (axes[row][column] for row in range(3))
        top.set_title(WORDS[basis][0])
        _draw_rate(top, curve, wish)
        _draw_volume(middle, curve, wish)
        _draw_wins(bottom, curve)
        for axis in (top, middle, bottom):
            _mark(axis, found[basis])
    image = io.BytesIO()
    drawing.savefig(image, format="png", dpi=110, metadata={"Software": None})
    return image.getvalue()


def page(
    curves: Mapping[str, Curve], found: Mapping[str, Recommendation], wish: Wish, image: bytes, lang: Lang = "en"
) -> str:
    """Write the self-contained HTML page: the sentences, the figure, and every threshold in a table."""
    picture = base64.b64encode(image).decode()
    title = _word("title", lang)
    parts = [
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>",
        f"<p>{_word('target', lang)}: {percent(wish.low)} - {percent(wish.high)}, {_capacity(wish, lang)}</p>",
        f'<img alt="{title}" src="data:image/png;base64,{picture}">',
    ]
    for basis, curve in curves.items():
        parts.append(_section(basis, curve, found[basis], lang))
    return "\n".join([*parts, "</body></html>\n"])


def write(
    workspace: Workspace,
    version: str,
    curves: Mapping[str, Curve],
    *,
    found: Mapping[str, Recommendation],
    wish: Wish,
    lang: Lang = "en",
) -> Path:
    """Write thresholds.json, .png and .html into the workspace's reports, each whole or not at all; gives the page."""
    image = figure(curves, found, wish)
    workspace.write_report("thresholds.json", {"bundle": version, **curves})
    html_page = workspace.reports / "thresholds.html"
    write_text_atomically(html_page, page(curves, found, wish, image, lang))
    with file_atomically(workspace.reports / "thresholds.png") as temporary:
        temporary.write_bytes(image)
    return html_page


def _draw_rate(axis: "Axes", curve: Curve, wish: Wish) -> None:
    rows = [row for row in curve["rows"] if row["mature"]]
    at = [row["threshold"] for row in rows]
    axis.axhspan(wish.low, wish.high, color=GREEN, alpha=0.12, label="target range")
    axis.fill_between(at, [row["low"] for row in rows], [row["high"] for row in rows], color=BLUE, alpha=0.2)
    axis.plot(at, [row["sql_rate"] for row in rows], color=BLUE)
    few = [row["threshold"] for row in rows if row["mature"] < curve["min_mature"]]
    if few:
        axis.axvspan(min(few) - 0.5, max(at) + 0.5, color=GREY, alpha=0.12, label="too few outcomes")
    axis.set(ylabel=RATES[curve["target"]][0], ylim=(0, 1))
    axis.legend(loc="upper left", fontsize=8)


def _draw_volume(axis: "Axes", curve: Curve, wish: Wish) -> None:
    at = [row["threshold"] for row in curve["rows"]]
    axis.plot(at, [row["mqls_per_week"] for row in curve["rows"]], color=ORANGE)
    if wish.capacity_per_week is not None:
        axis.axhline(wish.capacity_per_week, color=GREY, linestyle="--", linewidth=1)
    axis.set(ylabel="MQLs a week")
    axis.set_ylim(bottom=0)


def _draw_wins(axis: "Axes", curve: Curve) -> None:
    rows = [row for row in curve["rows"] if row["wins_share"] is not None]
    axis.plot([row["threshold"] for row in rows], [row["wins_share"] for row in rows], color=GREEN)
    axis.set(ylabel="share of wins caught", xlabel="threshold", ylim=(0, 1))


def _mark(axis: "Axes", found: Recommendation) -> None:
    axis.axvline(found.change["current"], color=GREY, linestyle=":", linewidth=1)
    if found.value is not None:
        axis.axvline(found.value, color=GREEN, linewidth=1.5)
    axis.grid(visible=True, alpha=0.3)


def _section(basis: str, curve: Curve, found: Recommendation, lang: Lang) -> str:
    sentences = "".join(f"<p>{html.escape(text)}</p>" for text in (found.reason, *found.advice))
    headings = [
        *(_word(key, lang) for key in ("threshold", "crossings", "volume")),
        RATES[curve["target"]][lang == "ja"],
        *(_word(key, lang) for key in ("interval", "mature", "wins", "lead_to_mql")),
    ]
    head = "".join(f"<th>{html.escape(text)}</th>" for text in headings)
    body = "\n".join(_table_row(row, found, lang) for row in curve["rows"])
    period = f"<p>{_word('period', lang)}: {html.escape(curve['from'])} - {html.escape(curve['to'])}</p>"
    return f"<h2>{_word(basis, lang)}</h2>{period}{sentences}<table><tr>{head}</tr>\n{body}</table>"


def _table_row(row: Mapping[str, Any], found: Recommendation, lang: Lang) -> str:
    note = tag(row["threshold"], found, lang)
    kind = "recommended" if row["threshold"] == found.value else "current" if note else ""
    cells = [f"{row['threshold']}{f' ({note})' if note else ''}", *cells_of(row)]
    return f'<tr class="{kind}">' + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


def cells_of(row: Mapping[str, Any]) -> Sequence[str]:
    """Give a row of the curve as texts, without its threshold."""
    interval = "n/a" if row["low"] is None else f"{number(100 * row['low'])}-{number(100 * row['high'])} %"
    return (
        number(row["crossings"]),
        number(row["mqls_per_week"]),
        percent(row["sql_rate"]),
        interval,
        number(row["mature"]),
        percent(row["wins_share"]),
        percent(row["lead_to_mql"]),
    )


def tag(threshold: float, found: Recommendation, lang: Lang) -> str:
    """Name what is special about a threshold, empty where nothing is."""
    if threshold == found.value:
        return _word("recommended", lang)
    if found.nearest is not None and threshold == found.nearest["threshold"]:
        return _word("nearest", lang)
    return _word("current", lang) if threshold == found.change["current"] else ""


def _word(key: str, lang: Lang) -> str:
    return WORDS[key][lang == "ja"]


def _capacity(wish: Wish, lang: Lang) -> str:
    if wish.capacity_per_week is None:
        return _word("unlimited", lang)
    return f"週{number(wish.capacity_per_week)}件" if lang == "ja" else f"{number(wish.capacity_per_week)} a week"
