"""Sources and conditions of a mapping as polars expressions on a batch of raw texts."""

import re
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from functools import reduce
from operator import and_

import polars as pl

from leadlight.ingest.mapping import Condition, Source
from leadlight.spec import glob_to_regex

_NOT_WORD = r"[^\p{L}\p{N}]+"


def raw_text(column: str, missing: Sequence[str]) -> pl.Expr:
    """Give a raw column trimmed, null where its text means missing."""
    text = pl.col(column).str.strip_chars()
    return pl.when(~text.is_in(sorted({"", *missing}))).then(text)


def text_of(source: Source, missing: Sequence[str]) -> pl.Expr:
    """Give the text of a source: raw value, then strip, map, patterns, slug, default (null where nothing is left)."""
    missing = [*missing, *source.missing]
    text = _base(source, missing)
    if source.strip is not None:
        stripped = text.str.replace_all(f"[{re.escape(source.strip)}]", "")
        text = pl.when(stripped.str.strip_chars() != "").then(stripped.str.strip_chars())
    if source.map or source.patterns:
        text = _translated(source, text)
    if source.slug:
        text = text.str.to_lowercase().str.replace_all(_NOT_WORD, "_").str.strip_chars("_")
    return text if source.default is None else text.fill_null(source.default)


def _base(source: Source, missing: Sequence[str]) -> pl.Expr:
    if source.constant is not None:
        return pl.lit(source.constant)
    if source.template is None:
        return raw_text(str(source.column), missing)
    parts: list[pl.Expr] = []
    columns: list[pl.Expr] = []
    for literal, column in re.findall(r"([^{}]*)(?:\{([^{}]+)\})?", source.template):
        if literal:
            parts.append(pl.lit(literal))
        if column:
            columns.append(raw_text(column, missing))
            parts.append(columns[-1].fill_null(""))
    return pl.when(pl.any_horizontal(column.is_not_null() for column in columns)).then(
        pl.concat_str(parts).str.strip_chars()
    )


def _translated(source: Source, text: pl.Expr) -> pl.Expr:
    otherwise = source.otherwise or ("missing" if source.patterns else "keep")
    rest: pl.Expr = text if otherwise == "keep" else pl.lit(None, dtype=pl.String)
    for pattern in reversed(source.patterns):
        regex = pattern.regex if pattern.regex is not None else glob_to_regex(str(pattern.glob))
        rest = pl.when(text.str.contains(regex)).then(pl.lit(pattern.value)).otherwise(rest)
    if not source.map:
        return rest
    known = list(source.map)
    mapped = text.replace_strict(known, [source.map[key] for key in known], default=None, return_dtype=pl.String)
    return pl.when(text.is_in(known)).then(mapped).otherwise(rest)


def condition(where: Dict[str, Condition], missing: Sequence[str]) -> pl.Expr:
    """Give the expression that is true for the raw rows that fulfil every condition (true for all without any)."""
    return reduce(and_, (_holds(raw_text(column, missing), rule) for column, rule in where.items()), pl.lit(value=True))


def _holds(text: pl.Expr, rule: Condition) -> pl.Expr:
    checks: list[pl.Expr] = []
    if rule.in_ is not None:
        checks.append(text.is_in(rule.in_))
    if rule.not_in is not None:
        checks.append(~text.is_in(rule.not_in).fill_null(value=False))
    if rule.glob is not None:
        checks.append(text.str.contains(glob_to_regex(rule.glob)))
    if rule.not_glob is not None:
        checks.append(~text.str.contains(glob_to_regex(rule.not_glob)).fill_null(value=False))
    if rule.regex is not None:
        checks.append(text.str.contains(rule.regex))
    if rule.missing is not None:
        checks.append(text.is_null() if rule.missing else text.is_not_null())
    return reduce(and_, checks).fill_null(value=False)
