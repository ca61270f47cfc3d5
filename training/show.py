"""Trainings and assessments on the terminal, and the parts of their JSON that are shared."""

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from leadlight import durations
from leadlight.bundle import Bundle
from leadlight.instants import iso
from leadlight.phrases import measured
from leadlight.workspace import Workspace
from training import asked, audit_card, monotone, record
from training.comparison import METRIC_NAMES, METRICS, SCORER_NAMES, Comparison, Estimate, verdict
from training.split import CREATION, age_named

if TYPE_CHECKING:
    from training.assess import Assessed
    from training.pipeline import Trained
    from training.promotion import Settled
    from training.track import TrackedRun

UNDEFINED: Final = "-"
# Of the columns that the audit left out, so many of each verdict are told with their reason.
MOST_NAMED: Final = 3
LEFT_OUT: Final = (
    ("leak", "leaks", "`leadlight audit` shows all"),
    ("suspect", "suspects", "--allow NAME --because TEXT uses one"),
)


def split_json(trained: "Trained") -> dict[str, Any]:
    """Give the split as JSON: ISO instants and durations, null where the data has no clock."""
    split = trained.split
    timed = split.horizon_us is not None
    return {
        "test_from": iso(split.cut) if timed else None,
        "until": iso(split.until) if timed else None,
        "horizon_days": None if split.horizon_us is None else split.horizon_us / durations.UNITS["d"],
        "horizon_source": split.horizon_source if timed else None,
        "ages": [durations.write(age) for age in split.ages_us] if timed else [],
        "train_ages": [durations.write(age) for age in split.train_ages_us] if timed else [],
    }


def recorded_json(bundle: Bundle) -> dict[str, Any]:
    """Give what a bundle records of how its training was answered: the ladder, what was left out or not applied."""
    training = bundle.training
    audit = training.get("audit") or {}
    segment = training.get("segment")
    return {
        "ladder": training.get("ladder"),
        "audit": {
            "left_out": list(record.left_out(bundle)),
            "allowed": audit.get("allowed", {}),
            "unresolved": audit.get("unresolved", []),
        },
        audit_card.KEY: training[audit_card.KEY],
        asked.KEY: training.get(asked.KEY, []),
        monotone.KEY: training.get(monotone.KEY, []),
        "segment": None if segment is None else {"column": segment["column"], "used": segment["used"]},
        "simplified": training.get("simplified", []),
        "proposed_reference": training.get("proposed_reference"),
    }


def ages_json(comparison: Comparison) -> list[dict[str, Any]]:
    """Give the calibration error of the model at every age against its bar."""
    found = []
    for part in comparison.by_age:
        error = part.metrics["ece"]["model"]
        found.append(
            {
                "age": UNDEFINED if part.age_us is None else age_named(part.age_us),
                "rows": part.rows,
                "positives": part.positives,
                "ece": None if error is None else error.value,
                "bar": part.ece_bar["model"],
                "limit": part.ece_limit,
                "ok": part.ece_ok["model"],
            }
        )
    return found


def show_training(room: Workspace, trained: "Trained", settled: "Settled", run: "TrackedRun | None") -> None:
    """Print what was trained, how it did, what serves and what to type next."""
    console = Console()
    _line(console, f"{trained.bundle.version}: {trained.why}")
    for told in _question(trained):
        _line(console, told)
    show_comparison(console, trained.comparison, who=record.called(trained.bundle))
    for told in (*(f"note: {note}" for note in notes(trained.bundle)), *_advice(trained.bundle)):
        _line(console, told)
    _line(console, f"serving: {settled.current or 'nothing'} ({settled.why})")
    for told in _next(room, trained.bundle, run):
        _line(console, told)


def _question(trained: "Trained") -> Iterator[str]:
    """Say what was asked of which snapshots."""
    split = split_json(trained)
    if split["test_from"] is None:
        yield "not point in time: this data has an order but no clock; one snapshot per lead, horizon ever"
        return
    target, days = trained.split.target, f"{split['horizon_days']:g} days"
    yield (
        f"target {target} within {days}; trained on what was known at {split['test_from']}, tested from then to "
        f"{split['until']} at ages {', '.join(split['ages'])}"
    )
    if trained.split.horizon_source == "usual":
        yield f"nobody had reached {target} by then, so these {days} are the usual ones; --horizon sets others"


def _advice(bundle: Bundle) -> Iterator[str]:
    """Say what would lead to another rung, and to scores that are better spread."""
    needs = (bundle.training.get("ladder") or {}).get("next")
    if needs is not None:
        yield f"next rung: {needs['told']}"
    proposed = bundle.training.get("proposed_reference")
    if proposed is not None:
        yield f"at this reference most training rows score 0 or 100: consider `--reference {proposed:g}`"


def _next(room: Workspace, bundle: Bundle, run: "TrackedRun | None") -> Iterator[str]:
    """Say what to type next."""
    yield "next:"
    yield "  leadlight explain LEAD_ID              why a lead has its score"
    if bundle.thresholds.get("model") is not None:
        yield "  leadlight thresholds recommend         from which score on to hand over"
    yield "  leadlight serve                        the scoring API"
    if run is not None:
        page = page_command(room) if run.address is None else run.address
        yield f"  {page}    run {run.run_id}"


def notes(bundle: Bundle) -> tuple[str, ...]:
    """Say in a sentence each what a training left out, did not apply, or made simpler than it could be."""
    training = bundle.training
    simplified: Sequence[str] = training.get("simplified", ())
    return (*_left_out(bundle), *audit_card.told(bundle), *asked.told(training), *simplified)


def _left_out(bundle: Bundle) -> Iterator[str]:
    """Say how many attributes and activity types the audit left out, and why: a line of leaks, one of suspects."""
    for verdict_, word, mend in LEFT_OUT:
        found = [one for one in record.left_out(bundle) if one["verdict"] == verdict_]
        if found:
            named = "; ".join(f"`{one['name']}` ({one['why']})" for one in found[:MOST_NAMED])
            more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
            yield f"the audit left out {len(found)} {word if len(found) > 1 else word[:-1]}: {named}{more}; {mend}"


def show_assessment(found: "Assessed") -> None:
    """Print how a bundle did in a period."""
    console = Console()
    days = "ever" if found.bundle.scorer.horizon_us is None else durations.write(found.bundle.scorer.horizon_us)
    _line(
        console,
        f"{found.bundle.version}: target {found.bundle.scorer.target} within {days}, snapshots of {iso(found.start)} - "
        f"{iso(found.end)}: {found.predictions.height:,} open, {found.comparison.rows:,} mature",
    )
    show_comparison(console, found.comparison, who=record.called(found.bundle))


def page_command(room: Workspace) -> str:
    """Give the command that opens the MLflow page of a workspace, on this machine only."""
    return f"mlflow server --backend-store-uri {shlex.quote(room.mlflow_uri)} --workers 1"


def show_comparison(console: Console, comparison: Comparison, *, who: str = SCORER_NAMES["model"]) -> None:
    """Print scorers x metrics with intervals, the calibration error per age against its bar, and the verdict.

    Args:
        console: where to.
        comparison: what to print.
        who: what was trained is called.
    """
    scorers = [name for name in SCORER_NAMES if any(comparison.metrics[metric].get(name) for metric in METRICS)]
    if scorers:
        told = f"{comparison.rows:,} test rows, {comparison.positives:,} positive"
        if 0 < comparison.positives < comparison.rows:
            told += "; with 95 % intervals over leads"
        table = Table(title=told, box=None, padding=(0, 1, 0, 0))
        table.add_column("", overflow="fold")
        for metric in METRICS:
            table.add_column(METRIC_NAMES[metric], justify="right")
        for name in scorers:
            cells = [_estimate(comparison.metrics[metric].get(name)) for metric in METRICS]
            table.add_row(_row_name(name, who), *cells, style="bold" if name == comparison.reference else "")
        console.print(table)
    for row in ages_json(comparison):
        if row["ok"] is not None:
            said = "within" if row["ok"] else "NOT within"
            bar = max(row["bar"], row["limit"])
            about = f"bar of a perfect model {row['bar']:.4f}, of large slices {row['limit']:.4f}"
            at = f"at {row['age']}" if row["age"] == CREATION else f"at age {row['age']}"
            _line(
                console,
                f"ECE {at} ({row['rows']:,} rows): {row['ece']:.4f}, {said} {bar:.4f} ({about})",
            )
    _line(console, verdict(comparison, who=who))


def _row_name(scorer: str, who: str) -> str:
    return (who if scorer == "model" else SCORER_NAMES[scorer]).removeprefix("the ")


def _estimate(found: Estimate | None) -> str:
    if found is None:
        return UNDEFINED
    if found.low is None or found.high is None:
        return measured(found.value)[0]
    value, low, high = measured(found.value, found.low, found.high)
    return f"{value}\n{low}-{high}"


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
