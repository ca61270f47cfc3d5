"""Lists and comparisons of bundles on the terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from leadlight import durations
from leadlight.instants import iso
from leadlight.phrases import measured
from training.comparison import DECISIVE, METRIC_NAMES, Difference, Estimate

if TYPE_CHECKING:
    from training.models import Listed
    from training.promotion import Promoted
    from training.versus import Versus

UNDEFINED: Final = "-"
CHAMPION: Final = "champion (現行モデル)"
# Characters of a run's id that tell it from the others on the terminal; --json has all of them.
RUN_SHOWN: Final = 8
WIDEST: Final = 1_000


def show_models(found: "Sequence[Listed]") -> None:
    """Print bundles as a table, the one that serves marked with an arrow, the champion named below it."""
    console = Console()
    if not found:
        _line(console, "no bundle yet; run `leadlight train`")
        return
    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("", "version", "trained", "target"):
        table.add_column(heading, no_wrap=True, min_width=len("RENAMED OR COPIED") if heading == "target" else None)
    table.add_column("rung")
    for heading in ("test rows", "log loss", "of rules", "AUC", "of rules", "beats rules"):
        table.add_column(heading, justify="right")
    for heading in ("audit", "MLflow run"):
        table.add_column(heading)
    for line in found:
        table.add_row(*_cells(line), style="bold" if line.current else "")
    _print_whole(table)
    for line in found:
        for text in _remarks(line):
            _line(console, text)


def show_versus(found: "Versus") -> None:
    """Print two bundles on the same slice: both with intervals, and their paired differences."""
    console = Console()
    comparison, chosen, scorer = found.comparison, found.chosen, found.a.scorer
    when = ""  # without a clock instants are places in an order
    if scorer.horizon_us is not None:
        ages = ", ".join(durations.write(age) for age in chosen.ages_us)
        when = f" from {iso(chosen.start)} to {iso(chosen.end)} at ages {ages}"
    _line(
        console,
        f"target {scorer.target}: {comparison.rows:,} mature snapshots of {comparison.leads:,} leads{when}, "
        f"{comparison.positives:,} positive; 95 % intervals over leads",
    )
    rules = f"rules of {found.a.version}"  # those beside another bundle may differ: other card, other outcomes
    names = {"a": found.a.version} | ({} if found.b is None else {"b": found.b.version}) | {"rules": rules}
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for metric in DECISIVE:
        table.add_column(METRIC_NAMES[metric], justify="right", no_wrap=True)
    for scorer_name, shown in names.items():
        table.add_row(shown, *(_estimate(comparison.metrics[metric].get(scorer_name)) for metric in DECISIVE))
    for other in [name for name in names if name != "a"]:
        cells = [_difference(comparison.differences[metric].get(other)) for metric in DECISIVE]
        table.add_row(f"difference to {'the ' if other == 'rules' else ''}{names[other]}", *cells, style="bold")
    _print_whole(table)
    for bundle, left_out in ((found.a, found.only_a), (found.b, found.only_b)):
        if bundle is not None and left_out:
            _line(console, f"{left_out:,} snapshots are left out: only `{bundle.version}` scores them")
    for note in found.notes:
        _line(console, f"note: {note}")


def show_promoted(found: "Promoted") -> None:
    """Print what a promotion or a rollback did, with the table it was decided on."""
    console = Console()
    judged = found.judged
    if judged.versus is not None:
        show_versus(judged.versus)
    if judged.note is not None:
        _line(console, f"note: {judged.note}")
    for leak in judged.leaks:
        _line(console, f"unresolved leak: {leak}")
    for reason in judged.reasons:
        _line(console, f"against it: {reason}")
    if found.promoted:
        instead = f" instead of {found.previous}" if found.previous not in {None, found.version} else ""
        told = "goes on serving" if found.previous == found.version else f"serves from now on{instead}"
        _line(console, f"{found.version} {told}" + (f", because: {found.because}" if found.because else ""))
        if not found.champion:
            _line(console, "it is no model, so there is no champion")
        return
    _line(console, f"{found.version} does NOT serve; {found.previous or 'nothing'} goes on serving")
    if judged.leaks:
        _line(
            console,
            "a leak is not overridden: drop or declare what knows the outcome (leadlight audit), and train again",
        )
    else:
        _line(console, "to let it serve all the same, say why: --because TEXT")


def _remarks(line: "Listed") -> Iterator[str]:
    """Say below the table what has no column."""
    if line.champion:
        yield f"{CHAMPION}: {line.version}"
    elif line.current and line.state == "ok":
        yield f"no champion: what serves is of kind `{line.kind}`"
    if line.problem is not None:
        yield line.problem
    if line.audit == "no outcomes":
        yield f"{line.version}: nothing could be audited, as no lead had been won or lost before its cut"
    if line.shift:
        yield f"{line.version}: corrected by {line.shift:+.2f} log-odds for a changed base rate"


def _cells(line: "Listed") -> tuple[str, ...]:
    mark = "->" if line.current else ""
    if line.state != "ok":
        return (mark, line.version, "", line.state.upper())
    return (
        mark,
        line.version,
        UNDEFINED if line.trained_at is None else line.trained_at[:10],
        line.target or UNDEFINED,
        line.rung or line.kind or UNDEFINED,
        UNDEFINED if line.test_rows is None else f"{line.test_rows:,}",
        *_pair(line.log_loss),
        *_pair(line.auc),
        {True: "yes", False: "no", None: UNDEFINED}[line.better_than_rules],
        line.audit or UNDEFINED,
        UNDEFINED if line.run_id is None else f"{line.run_id[:RUN_SHOWN]} (v{line.model_version})",
    )


def _pair(figures: dict[str, float | None] | None) -> tuple[str, str]:
    values = [(figures or {}).get(name) for name in ("model", "rules")]
    model, rules = (UNDEFINED if value is None else measured(value)[0] for value in values)
    return model, rules


def _estimate(found: Estimate | None) -> str:
    if found is None:
        return UNDEFINED
    if found.low is None or found.high is None:
        return measured(found.value, decimals=4)[0]
    value, low, high = measured(found.value, found.low, found.high, decimals=4)
    return f"{value} ({low} to {high})"


def _difference(found: Difference | None) -> str:
    if found is None:
        return UNDEFINED
    if found.low is None or found.high is None:
        return f"{measured(found.value, decimals=4, sign='+')[0]}, {found.verdict}"
    value, low, high = measured(found.value, found.low, found.high, decimals=4, sign="+")
    return f"{value} ({low} to {high}), {found.verdict}"


def _print_whole(table: Table) -> None:
    """Print a table as wide as its words: a version that is cut cannot be copied, and a pipe has no width."""
    width = Console(width=WIDEST).measure(table).maximum
    Console(width=max(Console().width, width)).print(table)


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
