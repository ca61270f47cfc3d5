"""A section of docs/trust.md for each part: short tables of what stands behind its figures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.markdown import table
from benchmarks.training.automl import FLAML, OURS, SETTLED
from benchmarks.training.leak_kinds import STRENGTHS
from benchmarks.training.leak_xeducation import BY_EVIDENCE, MUST_NOT
from benchmarks.training.learning_curve import FAR, LEADS, MOST_TEST_ROWS, RULES, SCORERS
from leadlight.errors import InputError
from leadlight.schema import DAY
from training.evaluate import ECE_LIMIT

Details = Mapping[str, Any]

PASSED: Final = {None: "-", True: "yes", False: "**no**"}
# What stands beside an ECE.
_HELD: Final = ("a perfect model's", "bar", "within")
_WINS: Final = """\
Mean log loss on later leads of companies drawn from a record; sizes that a record has no wins for are left out. Only
rows are drawn: catalog, category codes, audit verdicts and hygiene are those of the whole record ({leads:,} leads of a
simulated market), which is kind to scorecard and model. The test rows are whole leads chosen by a hash, about {rows:,}
rows where there are more. The ladder is what training makes of a company's outcomes, calibration included. *Minus
prior* and *minus fitted* are the ladder's log loss minus that of the card with its prior, and of the card fitted to the
same outcomes, with one standard error: of the market means where there are several markets. A public data set is one
market, whose draws overlap; their standard error says nothing about other records. *Far worse* is the share of draws in
which the ladder is worse by more than {far} nats than the better of the two. *Beats* is the share in which it is lower:
than with the card and its prior and with the base rate, and than with the card fitted to the same outcomes too."""
_GAPS: Final = """\
The bar is held against the mean of {markets} markets. The standard error of a market is over its leads."""
_GIVEN: Final = """\
Ours learns from settled rows only where these differ from all; there FLAML was run on both, each time with the same
seconds, and its better answer by log loss on the test rows counts, which favours FLAML in log loss only. *Settled* is
how often that was the settled rows."""
_SHARES: Final = ("beats prior and base rate", "fitted rules too")
_AGES: Final = """\
The newest slice of each market by age, with the ECE that a perfect model stays below in 19 of 20 such slices. The bar
is that, and at least {limit}."""
_MOVED: Final = """\
Leads drawn by outcome, so that the base rate moves; estimate and correction come from scores alone. `false alarm` is
whether one was raised on leads whose base rate did not move."""
_COMPANIES: Final = """\
{companies} simulated companies: small ones with rules and scorecard, large ones with a model. The true rate lies below
{below} of the intervals and above {above}. The standard error is over companies, whose segments share their luck. The
spread is the standard deviation of the true offsets of the segments of a company's column, in log-odds."""
_TAILS: Final = ("true rate below", "true rate above")
_WAYS: Final = """\
Log loss over the rules in {companies} companies: segments that borrow from the whole (pooled), one score for all
(single), and one for each segment (separate)."""
_COLUMNS: Final = """\
Test AUC {before} with every column, {after} with those that the audit leaves. Verdicts under the file's names of
columns and under `column_0`, `column_1`, ...; the other {others} columns are ok under both."""


def section(name: str, details: Details) -> str:
    """Give the heading and the tables of a part.

    Raises:
        InputError: the details lack what the part gives.
    """
    title, tables = _SECTIONS[name]
    try:
        return f"## {title}\n\n{tables(details)}"
    except (KeyError, TypeError) as problem:
        raise InputError(f"figures: {problem} is missing in the details of {name}; measure it again") from None


def _leaks(details: Details) -> str:
    rows = [
        (kind, *(by_strength.get(strength, "-") for strength in STRENGTHS))
        for kind, by_strength in details["leaks_by_kind"].items()
    ]
    return table(("kind of leak", *STRENGTHS), rows)


def _xeducation(details: Details) -> str:
    verdicts, why = details["xeducation_verdicts"], details["xeducation_why"]
    renamed = details["xeducation_verdicts_renamed"]
    asked = {*MUST_NOT, *BY_EVIDENCE}
    told = [
        column for column, verdict in verdicts.items() if column in asked or {verdict, renamed.get(column)} != {"ok"}
    ]
    rows = [(column, verdicts[column], renamed.get(column, "-"), why[column]) for column in told]
    before, after = (_number(details[f"xeducation_auc_{when}_gate"]) for when in ("before", "after"))
    intro = _COLUMNS.format(before=before, after=after, others=len(verdicts) - len(told))
    return f"{intro}\n\n{table(('column', 'as given', 'renamed', 'why'), rows)}"


def _ladder(details: Details) -> str:
    rows = [
        (
            f"`{name}`",
            f"{line['wins']:,}",
            *(str(line[count]) for count in ("markets", "draws")),
            *(_number(line["log_loss"][scorer]) for scorer in SCORERS),
            *(_with_error(line["minus"].get(rules)) for rules in RULES),
            _percent(line["far_worse_share"], 0),
            ", ".join(f"{rung} {times}" for rung, times in line["rungs"].items() if times),
            *(_percent(line[share], 0) for share in ("win_share", "win_share_fitted")),
        )
        for name, lines in details.items()
        for line in lines
    ]
    against = ("minus prior", "minus fitted", "far worse")
    headings = ("record", "wins", "markets", "draws", *SCORERS, *against, "rung chosen", *_SHARES)
    intro = _WINS.format(far=FAR, leads=LEADS, rows=MOST_TEST_ROWS)
    return f"{intro}\n\n{table(headings, rows)}"


def _calibration(details: Details) -> str:
    return f"{_newest(details['newest'])}\n\n{_moved(details['moved'])}"


def _newest(slices: Sequence[Details]) -> str:
    rows = [
        (
            str(seed),
            f"{one['age_us'] / DAY:g} d",
            f"{one['rows']:,}",
            *(_percent(one[key]) for key in ("expected", "observed")),
            *_held(one),
        )
        for seed, one in _by_seed(slices)
    ]
    headings = ("seed", "age", "snapshots", "expected", "observed", "ECE", *_HELD)
    return f"{_AGES.format(limit=ECE_LIMIT)}\n\n{table(headings, rows)}"


def _moved(moves: Sequence[Details]) -> str:
    rows = [
        (
            str(one["seed"]),
            *(_percent(one[key]) for key in ("known", "drawn", "estimated")),
            "yes" if one["alarm"] else "no",
            "no" if one["quiet"] else "yes",
            _number(one["uncorrected"]["ece"]),
            *_held(one["corrected"]),
        )
        for one in moves
    ]
    rates = ("seed", "known", "moved to", "estimated", "alarm", "false alarm", "ECE uncorrected", "corrected")
    return f"{_MOVED}\n\n{table((*rates, *_HELD), rows)}"


def _by_seed(slices: Sequence[Details]) -> Iterator[tuple[int, Details]]:
    """Give slices with the seed of their market: ages rise within one, and the first of the next is lower again."""
    seed, before = 0, -1
    for one in slices:
        seed += one["age_us"] <= before
        before = one["age_us"]
        yield seed, one


def _held(one: Details) -> tuple[str, str, str, str]:
    """Tell the ECE of a slice, that of a perfect model, the bar, and whether it is within."""
    return _number(one["ece"]), _number(one["bar"]), _number(max(one["bar"], ECE_LIMIT)), PASSED[one["ok"]]


def _segments(details: Details) -> str:
    by_score = [
        (
            score,
            f"{count:,}",
            *(_percent(details[key][score]) for key in ("coverage", "standard_error")),
            *(_percent(details["tails"][score][side]["share"]) for side in ("below", "above")),
        )
        for score, count in details["market_segments"].items()
    ]
    by_size = [(size, _percent(share)) for size, share in details["coverage_by_size"].items()]
    by_spread = [
        (spread, f"{one['intervals']:,}", _percent(one["coverage"]), _percent(one["standard_error"]))
        for spread, one in details["coverage_by_spread"].items()
    ]
    against = details["pooled_minus"]
    ways = [
        (way, _number(loss), *(_number(against.get(way, {}).get(key)) for key in ("mean", "standard_error")))
        for way, loss in details["log_loss"].items()
    ]
    below, above = (_percent(details[f"true_{side}"]) for side in ("below", "above"))
    return "\n\n".join(
        [
            _COMPANIES.format(companies=details["companies"], below=below, above=above),
            table(("common score", "intervals", "hold the true rate", "standard error", *_TAILS), by_score),
            table(("size of a segment", "hold the true rate"), by_size),
            table(("spread", "intervals", "hold the true rate", "standard error"), by_spread),
            _WAYS.format(companies=details["compared_companies"]),
            table(("way", "log loss", "pooled minus it", "standard error"), ways),
        ]
    )


def _oracle(details: Details) -> str:
    rows = [
        (
            str(one["seed"]),
            *(_number(one["auc"][name]) for name in ("model", "oracle", "rules")),
            *(_number(one[key]) for key in ("oracle_gap", "standard_error", "expected_gap")),
        )
        for one in details["markets"]
    ]
    headings = ("seed", "AUC", "of the oracle", "of the rules", "gap", "standard error", "gap without luck")
    return f"{_GAPS.format(markets=details['oracle_markets'])}\n\n{table(headings, rows)}"


def _flaml(details: Details) -> str:
    rows = []
    for name, one in details.items():
        for metric, difference in one["difference"].items():
            ours, theirs = one[metric][OURS], one[metric][FLAML]
            error = _number(difference["standard_error"])
            settled = f"{one['learnt_from'][SETTLED]} of {one['seeds']}"
            rows.append((f"`{name}`", metric, *map(_number, (ours, theirs, difference["value"])), error, settled))
    headings = ("data set", "metric", "leadlight", "FLAML", "difference", "standard error", "settled")
    return f"{_GIVEN}\n\n{table(headings, rows)}"


def _resume(details: Details) -> str:
    keys = ("trials", "resume_kills", "resume_lost_trials")
    row = (*(str(details[key]) for key in keys), PASSED[details["resume_same_result"]])
    return table(("trials", "killed", "finished trials lost", "result of an undisturbed run"), [row])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _with_error(found: Mapping[str, float | None] | None) -> str:
    """Tell a mean with its standard error."""
    if found is None:
        return "-"
    error = found["standard_error"]
    return _number(found["mean"]) + ("" if error is None else f" ± {error:.4f}")


def _percent(value: float | None, decimals: int = 1) -> str:
    return "-" if value is None else f"{value:.{decimals}%}"


_SECTIONS: Final[Mapping[str, tuple[str, Callable[[Details], str]]]] = {
    "leaks": ("Planted leaks found", _leaks),
    "xeducation": ("X Education, nothing declared", _xeducation),
    "ladder": ("The ladder as outcomes come in", _ladder),
    "calibration": ("Calibration, and a base rate that moves", _calibration),
    "segments": ("90 % intervals of segments", _segments),
    "oracle": ("Distance to the oracle", _oracle),
    "flaml": ("Against FLAML, given the same seconds", _flaml),
    "resume": ("Tuning, killed and resumed", _resume),
}
