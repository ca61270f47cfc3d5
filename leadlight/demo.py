"""The verb `demo`: the main job from raw files to a running service, on a simulated market, with a commentary.

Beside `leadlight.__main__` the only module of the kernel that looks upward: it assembles what the packages do.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from leadlight.command_line import JsonOption, WorkspaceOption, print_json
from leadlight.errors import WorkspaceError
from leadlight.schema import DAY, Target
from leadlight.workspace import Workspace, write_text_atomically

if TYPE_CHECKING:
    from rich.console import Console

    from features.tables import Tables
    from scoring.thresholds import Recommendation
    from training.options import Options
    from training.pipeline import Trained

TARGET: Final[Target] = "sql"
HORIZON: Final = 60 * DAY
# The test side: snapshots of so many days, the last of them old enough for its horizon to end within the record.
TEST_SPAN: Final = 90 * DAY
# Recipes that tuning tries: fewer than by default, so that the tour stays short.
TRIALS: Final = 8
CAPACITY: Final = 40.0
CURRENT: Final = 50.0
PORT: Final = 8_000
# Marks a workspace that the demo made, and names the tables it stored, so that it never throws away anything else.
MARK: Final = "demo.json"
# What the demo leaves in a workspace, the service's database included; nothing else is ever removed.
LEFT: Final = (
    *("tables.json", "tables", "market", "bundles", "reports", "mlflow.db", "mlartifacts", "tracking"),
    *("serve.db", "serve.db-wal", "serve.db-shm"),
)


def register_demo(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command(name="demo")(demo)


def demo(
    *,
    workspace: WorkspaceOption = Path("workspace"),
    leads: Annotated[int, typer.Option(min=2_000, help="Number of simulated leads.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same market and the same model.")] = 1,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Start the scoring API at the end.")] = True,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the scoring API.")] = PORT,
    as_json: JsonOption = False,
) -> None:
    """Show the main job: simulate, ingest, train, evaluate, explain three leads, recommend a threshold, serve.

    The market is simulated, so its true probabilities are known and stand beside the model's as `oracle`.

    Example: leadlight demo --no-serve --json
    """
    from rich.console import Console

    if serve:
        _check_port(port)
    room = Workspace.at(workspace)
    tour = _Tour(room, Console(stderr=True, highlight=False))
    tour.clear()
    answer = tour.run(leads, seed)
    if as_json:
        print_json(answer, flush=True)
    if serve:
        tour.hand_over(port)
        _serve(room, port, told_on_stderr=as_json)


@dataclass
class _Tour:
    """One run of the demo: where it writes, whom it tells, and how long each step takes."""

    room: Workspace
    console: "Console"
    seconds: dict[str, float] = field(default_factory=dict)
    explained: list[tuple[str, int]] = field(default_factory=list)

    @property
    def market(self) -> Path:
        """Folder of the simulated market."""
        return self.room.root / "market"

    def clear(self) -> None:
        """Remove what an earlier demo left; refuse a workspace that holds anything of that kind from elsewhere."""
        held = [self.room.root / name for name in LEFT if (self.room.root / name).exists()]
        if held and not self.is_own():
            raise WorkspaceError(
                f"workspace `{self.room.root}` holds `{held[0].name}`, not the demo's; choose another --workspace"
            )
        for path in held:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.mark()

    def is_own(self) -> bool:
        """Tell whether a demo made the workspace and nothing was ingested into it since."""
        mark = self.room.root / MARK
        return mark.exists() and (not self.room.has_tables() or mark.read_text(encoding="utf-8") == self.mark_text())

    def mark(self) -> None:
        """Mark the workspace, and the tables that are in it now, as the demo's."""
        write_text_atomically(self.room.root / MARK, self.mark_text())

    def mark_text(self) -> str:
        """Give the content of the mark."""
        tables = self.room.tables_info().generation if self.room.has_tables() else None
        return json.dumps({"made_by": "leadlight demo", "tables": tables}) + "\n"

    def run(self, leads: int, seed: int) -> dict[str, Any]:
        """Do everything but serving, and give the demo's JSON object."""
        start = time.perf_counter()
        with self.step("simulate", f"A market of {leads:,} leads whose true probabilities are known"):
            summary = self.simulate(leads, seed)
        with self.step("ingest", "Its raw CRM files come in through a mapping, as yours would"):
            activities = self.ingest()
        with self.step("train", "Past and future are cut apart; rules, model and references compete on the future"):
            options = self.options(seed)
            trained = self.train(options)
        with self.step("track", "Parameters, figures, plots and the bundle go to MLflow"):
            self.track(trained, options)
        self.comparison(trained)
        with self.step("explain", "Three leads, and why they have their score"):
            self.explain(trained)
        with self.step("threshold", "From which score on should leads be handed over to sales?"):
            found = self.threshold(trained)
        self.seconds |= {f"train_{name}": seconds for name, seconds in trained.seconds.items()}
        self.seconds["total"] = round(time.perf_counter() - start, 2)
        self.say(f"[dim]{self.seconds['total']:.0f} s in all[/]")
        self.say_plainly(f"MLflow   {_mlflow_command(self.room)}")
        return {"leads": summary, "activities": activities, **report(trained, found), "seconds": self.seconds}

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Announce a step and time it."""
        self.say(f"\n[bold cyan]{name}[/]  {title}")
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 2)
        self.say(f"[dim]  {self.seconds[name]:.1f} s[/]")

    def say(self, text: str) -> None:
        """Print one line of the commentary."""
        self.console.print(text, soft_wrap=True)

    def say_plainly(self, text: str) -> None:
        """Print one line to be copied: nothing in it is read as style."""
        self.console.print(text, soft_wrap=True, markup=False, emoji=False)

    def hand_over(self, port: int) -> None:
        """Say where the service will be, and give a command that asks it for the most likely of the explained leads."""
        url = f"http://127.0.0.1:{port}"
        self.say_plainly(f"address  {url}")
        for lead_id, as_of in self.explained[:1]:
            self.say_plainly(f"try      {_curl(url, lead_id, as_of)}")

    def simulate(self, leads: int, seed: int) -> int:
        """Write the market."""
        from leadlight.simulate.record import Options
        from leadlight.simulate.write import write_market

        written = write_market(self.market, Options(leads=leads, seed=seed))
        self.say(
            f"  {written.raw_rows:,} raw rows of activities, {written.leads:,} leads, {written.companies:,} companies"
        )
        return written.leads

    def ingest(self) -> int:
        """Bring the raw files in; gives the number of activities stored."""
        from leadlight.ingest.pipeline import ingest

        report_ = ingest(self.market / "mapping.yaml", self.market / "raw", self.room)
        self.mark()
        rows = self.room.tables_info().rows
        self.say(
            f"  {rows['activities']:,} activities and {rows['stages']:,} stage entries stored, "
            f"{report_.total('duplicates'):,} duplicates recognised, {report_.quarantined:,} rows in quarantine"
        )
        return rows["activities"]

    def options(self, seed: int) -> "Options":
        """Say what the training is asked for."""
        from rules import parse
        from training.options import Options

        return Options(
            target=TARGET,
            test_from=self.room.tables_info().observed_until - HORIZON - TEST_SPAN,
            horizon_us=HORIZON,
            card=parse.builtin("standard"),
            trials=TRIALS,
            seed=seed,
        )

    def train(self, options: "Options") -> "Trained":
        """Train the model beside its references."""
        from rich.progress import Progress

        from leadlight.simulate.truth import true_probability
        from training import pipeline

        def oracle(lead_ids: Any, as_of: Any, target: Target, horizon_us: int) -> Any:
            return true_probability(self.market, lead_ids, as_of, target, horizon_us)

        with Progress(console=self.console, transient=True) as bar:
            task = bar.add_task("tuning", total=options.trials)
            return pipeline.train(
                self.room,
                options,
                say=lambda text: self.say(f"  {text}"),
                progress=lambda done, total: bar.update(task, completed=done, total=total),
                oracle=oracle,
            )

    def track(self, trained: "Trained", options: "Options") -> None:
        """Settle what serves, and log the run."""
        from training import promotion, track
        from training.track_store import Store

        settled = promotion.settle(self.room, trained)
        self.say(f"  serving: {settled.current} ({settled.why})")
        tracked = track.log(self.room, trained, options, store=Store.own(self.room))  # never a team's server
        for note in tracked.followed.notes():
            self.say_plainly(note)

    def comparison(self, trained: "Trained") -> None:
        """Print the comparison on the test side."""
        from training import record
        from training.show import show_comparison

        show_comparison(self.console, trained.comparison, who=record.called(trained.bundle))

    def explain(self, trained: "Trained") -> None:
        """Explain the most likely, a middling and the least likely lead of the newest test day."""
        import polars as pl

        from features import tables as tables_of
        from scoring.score import LeadScorer

        ranked = trained.test.filter(pl.col("stage") == "lead").sort("model", "lead_id")
        places = [ranked.height - 1, ranked.height // 2, 0]
        chosen = [(ranked["lead_id"][place], ranked["as_of"][place]) for place in places if ranked.height]
        self.explained = chosen
        lines = tables_of.timelines(self.tables(), [lead for lead, _ in chosen])
        scorer = LeadScorer(trained.bundle)
        for lead_id, as_of in chosen:
            score = scorer.score(lines[lead_id], as_of)
            cell = f"{score.fit_grade}{score.engagement_level}"
            self.say(
                f"  [bold]{lead_id}[/]  score {score.score:g} ({score.temperature}, {cell}), "
                f"probability {score.probability:.1%}, {score.rule_points:g} rule points"
            )
            for reason in (score.reason_1, score.reason_2, score.reason_3):
                if reason:
                    self.say_plainly(f"      {reason}")

    def tables(self) -> "Tables":
        """Read the tables."""
        from features import tables as tables_of

        return tables_of.read(self.room)

    def threshold(self, trained: "Trained") -> "Recommendation":
        """Recommend a threshold for model scores and for rule points, and write the page with the curve."""
        from scoring import report as threshold_report
        from scoring.thresholds import recommend
        from scoring.wish import Wish

        wish = Wish(capacity_per_week=CAPACITY)
        curves = {basis: trained.bundle.thresholds[basis] for basis in ("model", "rules")}
        found = {basis: recommend(curve, wish.low, wish.high, CAPACITY, CURRENT) for basis, curve in curves.items()}
        for basis, recommendation in found.items():
            self.say(f"  [bold]{basis}[/]: {recommendation.reason}")
            for line in recommendation.advice:
                self.say(f"    {line}")
        page = threshold_report.write(self.room, trained.bundle.version, curves, found=found, wish=wish)
        self.say(f"  -> {page}")
        return found["model"]


def report(trained: "Trained", found: "Recommendation") -> dict[str, Any]:
    """Give the figures of a training and of a threshold as the demo's JSON has them."""
    from leadlight.instants import iso

    split, comparison = trained.split, trained.comparison
    figures = comparison.to_json()
    return {
        "target": split.target,
        "horizon_days": HORIZON / DAY,
        "split": {
            "test_from": iso(split.cut),
            "until": iso(split.until),
            "ages_days": [age / DAY for age in split.ages_us],
        },
        "n_test": comparison.rows,
        "positives": comparison.positives,
        **{metric: figures["metrics"][metric] for metric in ("auc", "log_loss", "brier", "ece", "lift10")},
        "differences": figures["differences"],
        "ece_by_age": [_calibration(part) for part in figures["by_age"]],
        "ece_ok": comparison.ece_ok["model"],
        "better_than_rules": trained.better_than_rules,
        "reasons_max_error": trained.reasons_max_error,
        "threshold": _threshold(found),
    }


def _calibration(part: Mapping[str, Any]) -> dict[str, Any]:
    error = part["metrics"]["ece"]["model"]
    return {
        "age_days": part["age_us"] / DAY,
        "rows": part["rows"],
        "ece": None if error is None else error["value"],
        "bar": part["ece_bar"]["model"],
        "limit": part["ece_limit"],
        "ok": part["ece_ok"]["model"],
    }


def _threshold(found: "Recommendation") -> dict[str, Any]:
    names = ("value", "mqls_per_week", "sql_rate", "low", "high", "wins_share", "binding", "reason", "nearest")
    data = found.to_json()
    return {name: data[name] for name in names}


def _mlflow_command(room: Workspace) -> str:
    from training.show import page_command

    return page_command(room)


def _curl(url: str, lead_id: str, as_of: int) -> str:
    """Write a command that asks for a score at an instant of the record, which ended long before now."""
    from serving.clock import to_datetime

    body = json.dumps({"lead_id": lead_id, "as_of": to_datetime(as_of).isoformat()})
    return f"curl -s {url}/v1/score -H 'Content-Type: application/json' -d '{body}'"


def _check_port(port: int) -> None:
    """Find out now, not after two minutes, that the port is busy."""
    from serving.server import bound

    bound("127.0.0.1", port).close()


def _serve(room: Workspace, port: int, *, told_on_stderr: bool) -> None:
    """Become `leadlight serve`: a scoring process holds nothing of what training imported.

    After the demo's JSON object nothing may follow on stdout: what the service tells of itself then goes to stderr.
    """
    command = ["-m", "leadlight", "serve", "--workspace", str(room.root), "--port", str(port), "--open"]
    sys.stdout.flush()
    sys.stderr.flush()
    if told_on_stderr:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606  (no shell, our own command)
