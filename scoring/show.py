"""Scores and curves on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from leadlight.instants import iso
from leadlight.vocabulary import Lang
from leadlight.wording import signed
from rules.ledger import LedgerEntry
from scoring.advice import RATES, percent
from scoring.report import WORDS, cells_of, tag
from scoring.score import LeadScore
from scoring.thresholds import Recommendation

ROWS_SHOWN: Final = 15
TEXTS: Final[dict[str, tuple[str, str]]] = {
    "score": ("score", "スコア"),
    "probability": ("probability", "確率(予測)"),
    "interval": ("one known lead more:", "結果が1件増えたときの範囲:"),
    "rules": ("rule points", "配点表の点数"),
    "temperature": ("temperature", "温度感"),
    "cell": ("fit x engagement", "属性ランク×行動ランク"),  # noqa: RUF001
    "reasons": ("Why", "スコアの根拠"),
    "base": ("base: a lead about which nothing is known", "基準点:情報のないリード"),
    "rest": ("the rest", "その他"),
    "parts": ("All parts (points and log-odds)", "すべての内訳(点数と対数オッズ)"),
    "ledger": ("Ledger of the rule card", "スコア履歴(加点明細)"),
    "no_clock": ("no clock", "日時なし"),
    "sum": ("raw score", "合計(0-100に丸める前)"),
}
TEMPERATURES_JA: Final = {"hot": "hot(高い)", "warm": "warm(中)", "cold": "cold(低い)"}


def show_explanation(found: LeadScore, entries: Sequence[LedgerEntry], lang: Lang, *, timed: bool = True) -> None:
    """Print a score, its reasons, all its parts and the ledger; no instants where there is no clock (not `timed`)."""
    at = iso(found.feature_as_of) if timed else _text("no_clock", lang)
    console = Console()
    warmth = TEMPERATURES_JA[found.temperature] if lang == "ja" else found.temperature
    likely = "" if found.probability is None else f", {_text('probability', lang)} {percent(found.probability)}"
    if found.interval_low is not None:
        likely += f" ({_text('interval', lang)} {percent(found.interval_low)} - {percent(found.interval_high)})"
    console.print(
        f"{found.lead_id} ({at}, {found.model_version}): {_text('score', lang)} {found.score:g}"
        f"{likely}, {_text('rules', lang)} {found.rule_points:g}, {_text('temperature', lang)} {warmth}, "
        f"{_text('cell', lang)} {found.fit_grade}{found.engagement_level}",
        markup=False,
        highlight=False,
    )
    console.print(_parts(found, lang))
    console.print(_ledger(entries, lang, timed=timed))


def show_curve(basis: str, curve: Mapping[str, Any], found: Recommendation, lang: Lang) -> None:
    """Print a curve, at most some fifteen rows of it and those that matter, and the recommendation."""
    rows = curve["rows"]
    step = -(-len(rows) // ROWS_SHOWN) if rows else 1
    keys = ("threshold", "crossings", "volume")
    headings = [WORDS[key][lang == "ja"] for key in keys] + [RATES[curve["target"]][lang == "ja"]]
    headings += [WORDS[key][lang == "ja"] for key in ("interval", "mature", "wins", "lead_to_mql")]
    table = Table(title=f"{WORDS[basis][lang == 'ja']}, {curve['from']} - {curve['to']}")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        note = tag(row["threshold"], found, lang)
        if note or row["threshold"] % step == 0:
            table.add_row(
                f"{row['threshold']}{' ' + note if note else ''}", *cells_of(row), style="bold" if note else ""
            )
    console = Console()
    console.print(table)
    for sentence in (found.reason, *found.advice):
        console.print(sentence, markup=False, highlight=False)


def _parts(found: LeadScore, lang: Lang) -> Table:
    table = Table(title=_text("parts", lang))
    for heading, side in (("", "left"), ("points", "right"), ("log-odds", "right")):
        table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    counted = [part for part in found.contributions or () if part.points]
    for number, part in enumerate(counted):
        log_odds = "" if part.log_odds is None else f"{part.log_odds:+.4f}"
        table.add_row(_plain(part.text), signed(part.points), log_odds, style="bold" if number < 3 else "")
    base = "" if found.base_log_odds is None else f"{found.base_log_odds:+.4f}"
    total = "" if found.log_odds is None else f"{found.log_odds:+.4f}"
    table.add_section()
    told = "" if found.base_note is None else f" ({found.base_note})"
    table.add_row(f"{_text('base', lang)}{told}", signed(found.base_points), base)
    table.add_row(_text("sum", lang), signed(found.raw_score), total)
    return table


def _ledger(entries: Sequence[LedgerEntry], lang: Lang, *, timed: bool) -> Table:
    table = Table(title=_text("ledger", lang))
    table.add_column("")
    table.add_column("", overflow="fold")
    table.add_column("points", justify="right")
    for entry in entries:
        label = entry.label_ja if lang == "ja" else entry.label_en
        table.add_row(iso(entry.at) if timed else "", _plain(label), signed(entry.points))
    table.add_section()
    table.add_row("", "", signed(sum(entry.points for entry in entries)))
    return table


def _plain(text: str) -> Any:
    from rich.text import Text  # noqa: PLC0415  (text of the user is no markup)

    return Text(text)


def _text(key: str, lang: Lang) -> str:
    return TEXTS[key][lang == "ja"]
