"""Scores of many snapshots at once: tables in, a Polars frame out, and the curves of thresholds from them.

The same card, columns, scorer and formulas as for one lead (`scoring.score`); only the features come from
`features.batch`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from features import batch, labels, snapshots
from features.tables import Tables
from leadlight.bundle import Bundle, Scorer
from leadlight.errors import InputError
from leadlight.instants import iso
from leadlight.schema import DAY, at_or_beyond
from leadlight.vocabulary import Lang
from leadlight.workspace import TablesInfo
from scoring.columns import Columns, Floats
from scoring.crossings import Basis, Scored, curve
from scoring.numbers import SCORES, Numbers
from scoring.scale import HIGHEST, LOWEST
from scoring.score import LeadScore, LeadScorer

ROWS_AT_ONCE: Final = 250_000
FOUR_WEEKS: Final = 28 * DAY
CURVE_AGES: Final = tuple(days * DAY for days in (1, 3, 7, 14, 30, 60, 90))


def matrices(tables: Tables, rows: pl.DataFrame, columns: Columns) -> Iterator[tuple[pl.DataFrame, Floats]]:
    """Yield the features of snapshots, a bounded number at a time, as (snapshots, matrix (n, len(columns.specs)))."""
    for part in rows.iter_slices(ROWS_AT_ONCE):
        yield part, batch.matrix(batch.build(tables, part, columns.specs), columns.specs)


def score_snapshots(tables: Tables, rows: pl.DataFrame, bundle: Bundle) -> pl.DataFrame:
    """Score snapshots by the bundle's model and by its rule card.

    Args:
        tables: the tables; only what lies before each as_of is used.
        rows: columns lead_id and as_of (int64 µs).
        bundle: a verified bundle.

    Returns:
        lead_id, as_of, log_odds, probability, score (unclipped), rule_points, rule_probability (of the rule line that
        was fitted to the same outcomes by itself), in the order of `rows`.
    """
    numbers = Numbers(bundle.scorer)
    frames = []
    for part, matrix in matrices(tables, rows.select("lead_id", "as_of"), numbers.columns):
        values = numbers.of(matrix)
        frames.append(part.with_columns(pl.Series(name, array) for name, array in values.items()))
    empty = {"lead_id": pl.String, "as_of": pl.Int64, **dict.fromkeys(SCORES, pl.Float64)}
    return pl.concat(frames) if frames else pl.DataFrame(schema=empty)


def score_leads(
    tables: Tables, rows: pl.DataFrame, scorer: LeadScorer, *, now: int, lang: Lang = "en"
) -> Iterator[LeadScore]:
    """Yield the score of every snapshot with its reasons, in the order of `rows` (columns lead_id and as_of)."""
    for part, matrix in matrices(tables, rows.select("lead_id", "as_of"), scorer.columns):
        yield from scorer.answers(part["lead_id"].to_list(), part["as_of"].to_list(), matrix, lang=lang, now=now)


@dataclass(frozen=True, slots=True)
class _Period:
    """What thresholds are measured on: snapshots at stage `lead` with their labels, and who won."""

    rows: pl.DataFrame
    winners: pl.Series
    new_leads: int


def measure_thresholds(tables: Tables, info: TablesInfo, bundle: Bundle, start: int, end: int) -> dict[str, Any]:
    """Measure what every threshold would have yielded in [start, end), for model scores and for rule points.

    Leads are scored at the end of each UTC day (before the period: of every four weeks) with activity other than
    marketing's own (being sent a mail makes nobody ready, and such days are half of a log), at scheduled ages, and
    just before they leave stage `lead` (else the score with which a lead was handed over on that day would be missed);
    from their creation on, so that a lead that crossed before the period is not counted as crossing in it. Where the
    data knows no stage `mql`, every lead that is open for the target counts as being at stage `lead`.

    Args:
        tables: the tables.
        info: what is known of them.
        bundle: a verified bundle; fitted on nothing from `start` on, or the curves flatter it.
        start: µs UTC.
        end: µs UTC.

    Returns:
        JSON object `{"model": curve, "rules": curve}` (see `scoring.crossings.curve`); the curves are None, with a
        `note`, where the data has no clock, or no outcome at all.

    Raises:
        InputError: the period is empty or begins after the record ends.
    """
    if info.clock == "order":
        note = "the data has an order but no clock: there are no weeks to count hand-overs in"
        return {"model": None, "rules": None, "note": note}
    end = min(end, info.observed_until)
    if end <= start:
        raise InputError(
            f"thresholds: nothing is recorded from {iso(start)} on (the record ends {iso(info.observed_until)}); "
            "choose an earlier start"
        )
    scorer = bundle.scorer
    if not labels.recorded(tables, scorer.target, info.observed_until + 1):
        note = f"no lead was ever lost or reached {scorer.target} or a later stage: silence is no failure"
        return {"model": None, "rules": None, "note": note}
    period = _period(tables, scorer, info.observed_until, start, end)
    scores = score_snapshots(tables, period.rows, bundle)
    known = pl.concat([scores["lead_id"], period.winners]).unique().sort()
    codes = pl.Enum(known)
    lead = scores["lead_id"].cast(codes).to_physical().cast(pl.Int64).to_numpy()
    winners = period.winners.cast(codes).to_physical().cast(pl.Int64).to_numpy()
    label = period.rows["label"].fill_null(float("nan")).to_numpy()

    def measured(basis: Basis, score: Floats) -> dict[str, Any]:
        rows = Scored(lead, scores["as_of"].to_numpy(), score, np.ones(len(score), dtype=np.bool_), label)
        return curve(
            rows,
            start=start,
            end=end,
            winners=winners,
            new_leads=period.new_leads,
            basis=basis,
            target=scorer.target,
            horizon_us=scorer.horizon_us,
        )

    shown = np.clip(scores["score"].to_numpy(), LOWEST, HIGHEST)
    return {"model": measured("model", shown), "rules": measured("rules", scores["rule_points"].to_numpy())}


def _period(tables: Tables, scorer: Scorer, observed_until: int, start: int, end: int) -> _Period:
    """Gather the snapshots of every lead that could cross in the period, or that won in it, from its creation on.

    Before the period, where only whether a lead has crossed already matters, four weeks take the place of a day.
    """
    beginning = -(2**62)
    acting = replace(tables, activities=tables.activities.filter(pl.col("actor") != "marketing"))
    # an instant before the entry: the target may be entered at the very same time
    leaving = tables.stages.filter(pl.col("stage") != "lead").select("lead_id", as_of=pl.col("entered_at") - 1)
    every = pl.concat(
        [
            snapshots.on_activity(acting, beginning, start, every=FOUR_WEEKS).select("lead_id", "as_of"),
            snapshots.on_activity(acting, start, end).select("lead_id", "as_of"),
            snapshots.scheduled(tables, CURVE_AGES, start, end).select("lead_id", "as_of"),
            leaving.filter(pl.col("as_of") < end).collect(),
        ]
    ).unique(maintain_order=False)
    at_lead = snapshots.open_for(every.sort("lead_id", "as_of"), tables, scorer.target)
    knows_mql = tables.stages.filter(pl.col("stage") == "mql").head(1).collect().height > 0
    if knows_mql:
        at_lead = at_lead.filter(pl.col("stage") == "lead")
    first_reached = (
        tables.stages.filter(pl.col("stage").is_in(list(at_or_beyond(scorer.target))))
        .group_by("lead_id")
        .agg(pl.col("entered_at").min())
        .collect()
    )
    inside = pl.col("entered_at").is_between(start, end, closed="left")
    winners = first_reached.filter(inside)["lead_id"].sort()
    could_cross = at_lead.filter(pl.col("as_of") >= start)["lead_id"]
    concerned = pl.concat([could_cross, winners]).unique()
    rows = labels.attach(
        at_lead.filter(pl.col("lead_id").is_in(concerned.implode())),
        tables,
        scorer.target,
        scorer.horizon_us,
        observed_until,
    )
    if scorer.horizon_us is not None:  # a success known before its time would count where a failure cannot yet
        ended = pl.col("as_of") + scorer.horizon_us <= observed_until
        rows = rows.with_columns(label=pl.when(ended).then("label"))
    created = pl.col("created_at").is_between(start, end, closed="left")
    return _Period(rows, winners, tables.leads.filter(created).select(pl.len()).collect().item())
