"""`leadlight score`, `leadlight explain` and `leadlight thresholds recommend`."""

import time
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from leadlight.command_line import JsonOption, WorkspaceOption, print_json, say
from leadlight.errors import InputError, UnknownLeadError
from leadlight.schema import DAY
from leadlight.workspace import TablesInfo, Workspace

if TYPE_CHECKING:
    import polars as pl

    from features.hygiene_settings import HygieneSettings
    from leadlight.bundle import Bundle
    from rules.ledger import LedgerEntry
    from scoring.cluster import Job
    from scoring.score import LeadScore, LeadScorer
    from scoring.thresholds import Recommendation


class Lang(StrEnum):
    """Language of sentences and headings."""

    en = "en"
    ja = "ja"


LangOption = Annotated[Lang, typer.Option(help="Language of the sentences.")]
BundleOption = Annotated[
    str | None, typer.Option("--bundle", help="Version of a bundle.", show_default="the current one")
]
EngineOption = Annotated[str, typer.Option("--engine", help="polars, or pyspark: on a Spark cluster.")]
MasterOption = Annotated[
    str | None, typer.Option("--master", help="Of pyspark, such as spark://HOST:7077.", show_default="local[*]")
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", help="`now`, a date or an instant (UTC).", show_default="the end of the record"),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this package."""
    app.command("score")(score)
    app.command("explain")(explain)
    group = typer.Typer(no_args_is_help=True, help="The score from which leads are handed over.")
    group.callback()(lambda: None)
    group.command("recommend")(recommend)
    app.add_typer(group, name="thresholds")


SCORED: Final = (
    "{leads:,} open leads{at} by {model_version}: {hot:,} hot{by_card}, {warm:,} warm, {cold:,} cold -> {out}"
)
NO_INSTANTS: Final = "has a place in an order and no time, as this data has no clock; leave --as-of out"


def score(
    *,
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv or .parquet.")],
    as_of: AsOfOption = None,
    lang: LangOption = Lang.en,
    version: BundleOption = None,
    clean: Annotated[
        bool,
        typer.Option(
            "--hygiene/--no-hygiene",
            help="Set duplicates, scanners and the like aside as the bundle's training did; score once with and once "
            "without to see what that changes.",
        ),
    ] = True,
    engine: EngineOption = "polars",
    master: MasterOption = None,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Score all open leads, with reasons, into a table.

    Example: leadlight score --as-of now --out scores.csv --lang ja

    Example: leadlight score --engine pyspark --master spark://host:7077 --out scores.parquet
    """
    from scoring import cluster, export
    from scoring.chosen import load_or_card
    from scoring.score import LeadScorer

    export.check_format(out)
    on_cluster = cluster.is_asked(engine, master)
    room = Workspace.at(workspace)
    info = room.tables_info()
    instant = _as_of(as_of, info)
    bundle, card, problem = load_or_card(room, version)
    if problem is not None:
        say(f"{problem}; the rule card `{card.name}` answers")
    scorer = LeadScorer(bundle, card)
    settings = _clean_by(room, bundle) if clean else None
    job = cluster.Job(room, bundle, settings, instant, lang.value, scored_at=time.time_ns() // 1_000)
    frame = _scored_by(job, master) if on_cluster else _scored_here(job, scorer)
    export.write(frame, out)
    summary = _summary(job, scorer, frame) | {"out": str(out)}
    _warn(summary, job)
    if as_json:
        print_json(summary)
    else:
        at = f" as of {summary['as_of']}" if info.clock == "time" else ""
        print(SCORED.format(**summary, at=at, by_card=_by_card(summary["hot_by_card"], scorer)))


def explain(
    lead_id: Annotated[str, typer.Argument(help="The lead.")],
    *,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.en,
    version: BundleOption = None,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Show why a lead has its score: every part of it, and the ledger of the rule card.

    Example: leadlight explain lead-00042 --lang en
    """
    from features import one_company, tables
    from features.colleagues import colleagues
    from leadlight.instants import iso
    from rules.ledger import ledger
    from scoring import age
    from scoring.chosen import load_or_card
    from scoring.score import LeadScorer

    room = Workspace.at(workspace)
    info = room.tables_info()
    instant = _as_of(as_of, info)
    bundle, card, problem = load_or_card(room, version)
    if problem is not None:
        say(f"{problem}; the rule card `{card.name}` answers")
    record = one_company.tables_for(room, _clean_by(room, bundle), lead_id)
    timeline = tables.timelines(record, [lead_id]).get(lead_id)
    if timeline is None:
        raise UnknownLeadError.no_such_lead(lead_id)
    if instant < timeline.created_at:
        mend = f"was created {iso(timeline.created_at)}; choose a later --as-of"
        raise InputError(f"lead `{lead_id}` {mend if info.clock == 'time' else NO_INSTANTS}")
    scorer = LeadScorer(bundle, card)
    others = colleagues(record, lead_id, instant) if scorer.plan.needs_colleagues else []
    found = scorer.score(timeline, instant, colleagues=others, lang=lang.value, explain=True)
    entries = ledger(scorer.card, timeline, instant)  # the tables it came from are clean
    aged = age.note(bundle, instant - timeline.created_at, lang.value)
    if as_json:
        print_json(_explanation(found, entries, lang) | {"age_note": aged})
    else:
        from scoring.show import show_explanation

        show_explanation(found, entries, lang.value, timed=info.clock == "time")
        if aged is not None:
            print(aged)


def recommend(
    *,
    target_rate: Annotated[
        str, typer.Option("--target-rate", help="Target range of the SQL rate: LOW:HIGH.")
    ] = "0.30:0.50",
    capacity: Annotated[
        str | None,
        typer.Option(help="Most leads that sales can take, such as 40/week.", show_default="no limit"),
    ] = None,
    current: Annotated[float, typer.Option(help="The threshold in force.")] = 50.0,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Begin of the period.", show_default="the end of the training period"),
    ] = None,
    lang: LangOption = Lang.en,
    version: BundleOption = None,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Recommend from which score on leads are handed over, and say what it will yield.

    Example: leadlight thresholds recommend --target-rate 0.30:0.50 --capacity 40/week
    """
    from features import hygiene
    from leadlight import instants
    from scoring import batch, report, wish
    from scoring.chosen import load
    from scoring.thresholds import recommend as recommended

    wanted = wish.parse(target_rate, capacity)
    room = Workspace.at(workspace)
    info = room.tables_info()
    bundle = load(room, version)
    begin = instants.parse(start, "--from") if start is not None else _test_from(bundle)
    say(f"scoring the leads of {instants.iso(begin)} - {instants.iso(info.observed_until)} by {bundle.version}")
    record = hygiene.tables_for(room, _clean_by(room, bundle))
    measured = batch.measure_thresholds(record, info, bundle, begin, info.observed_until)
    if measured["model"] is None:
        raise InputError(f"no threshold can be recommended: {measured['note']}")
    curves = {basis: measured[basis] for basis in ("model", "rules")}
    limits = (wanted.low, wanted.high, wanted.capacity_per_week, current)
    found = {basis: recommended(curve, *limits, lang=lang.value) for basis, curve in curves.items()}
    answer = {"bundle": bundle.version, **{basis: found[basis].to_json() for basis in found}}
    page = report.write(room, bundle.version, curves, found=found, wish=wanted, lang=lang.value)
    if as_json:
        print_json(answer)
    else:
        _print_recommendations(curves, found, page, lang)


def _summary(job: "Job", scorer: "LeadScorer", frame: "pl.DataFrame") -> dict[str, Any]:
    """Count what was scored."""
    from leadlight.instants import iso
    from scoring import age, older

    bundle = job.bundle
    temperatures = Counter(frame["temperature"].to_list())
    limit = age.oldest(bundle)
    return {
        "as_of": iso(job.instant),
        "leads": frame.height,
        "target": "sql" if bundle is None else bundle.scorer.target,
        "score_basis": "rules" if bundle is None else bundle.score_basis,
        "model_version": scorer.model_version,
        "degraded": bundle is None,
        **{name: temperatures[name] for name in ("hot", "warm", "cold")},
        "hot_by_card": int(((frame["temperature"] == "hot") & (frame["raw_score"] < scorer.levels.hot)).sum()),
        "oldest_age_days": None if limit is None else limit / DAY,
        "older_leads": older.count(job, frame),
    }


def _warn(summary: dict[str, Any], job: "Job") -> None:
    """Say on stderr what the table does not: that it is empty, or holds leads older than any that was tested."""
    from scoring import age

    if not summary["leads"]:
        when = f" at {summary['as_of']}" if job.room.tables_info().clock == "time" else ""
        say(f"no lead of the record is open for `{summary['target']}`{when}: the table is empty; is --as-of right?")
    told = age.warning(summary["older_leads"], summary["leads"], job.bundle)
    if told is not None:
        say(told)


def _by_card(count: int, scorer: "LeadScorer") -> str:
    """Say how many are hot by a condition of the card, and its window, while their score is below the hot one."""
    if not count:
        return ""
    from rules import wording

    names = [
        f"`{entry.name}`" + (f" ({', '.join(found)})" if (found := wording.windows(entry.when, "en")) else "")
        for entry in scorer.card.hot_when
    ]
    return f" ({count:,} by {' or '.join(names)} of the card, whatever their score)"


def _scored_here(job: "Job", scorer: "LeadScorer") -> "pl.DataFrame":
    """Score the open leads in this process."""
    from features import hygiene, snapshots
    from scoring import batch, export

    found = hygiene.tables_for(job.room, job.settings)
    target = "sql" if job.bundle is None else job.bundle.scorer.target
    rows = snapshots.open_for(snapshots.at(found, job.instant), found, target)
    answers = batch.score_leads(found, rows, scorer, now=job.scored_at, lang=job.lang)
    return export.table(_watched(answers, rows.height, "scoring"))


def _scored_by(job: "Job", master: str | None) -> "pl.DataFrame":
    """Score the open leads on a cluster."""
    from rich.console import Console

    from scoring import cluster

    with Console(stderr=True).status("scoring on Spark"):
        return cluster.score(job, master)


def _as_of(text: str | None, info: TablesInfo) -> int:
    from leadlight.instants import iso, parse

    if text is None:
        return info.observed_until
    instant = parse(text, "--as-of")
    if instant > info.observed_until:
        between = f"the record ends {iso(info.observed_until)}: what happened between then and {iso(instant)}"
        after = "this data has an order but no clock: what came after its last row"
        say(f"{between if info.clock == 'time' else after} is not known and counts as if nothing had happened")
    return instant


def _clean_by(room: Workspace, bundle: "Bundle | None") -> "HygieneSettings | None":
    """Give the hygiene of a bundle's training; without a bundle the workspace's."""
    from features import hygiene_settings

    return hygiene_settings.of_workspace(room) if bundle is None else hygiene_settings.recorded(bundle.training)


def _test_from(bundle: "Bundle") -> int:
    begin = bundle.training.get("test_from")
    if not isinstance(begin, int):
        raise InputError(f"bundle `{bundle.version}` does not say when its training period ended; give --from DATE")
    return begin


def _explanation(found: "LeadScore", entries: "tuple[LedgerEntry, ...]", lang: Lang) -> dict[str, Any]:
    from dataclasses import asdict

    from leadlight.instants import iso

    ledger = [
        {
            "at": iso(entry.at),
            "rule": entry.rule,
            "group": entry.group,
            "points": entry.points,
            "label": entry.label_ja if lang is Lang.ja else entry.label_en,
            "activity_id": entry.activity_id,
        }
        for entry in entries
    ]
    flat = asdict(found)
    low, high = flat.pop("interval_low"), flat.pop("interval_high")
    interval = None if low is None else {"low": low, "high": high}
    return flat | {
        "cell": f"{found.fit_grade}{found.engagement_level}",
        "feature_as_of": iso(found.feature_as_of),
        "scored_at": iso(found.scored_at),
        "contributions": list(flat["contributions"]),
        "interval": interval,
        "ledger": ledger,
    }


def _print_recommendations(curves: dict[str, Any], found: "dict[str, Recommendation]", page: Path, lang: Lang) -> None:
    from scoring.show import show_curve

    for basis, curve in curves.items():
        show_curve(basis, curve, found[basis], lang.value)
    print(f"-> {page}")


def _watched(answers: Any, total: int, what: str) -> Any:
    """Show progress on stderr."""
    from rich.console import Console
    from rich.progress import track

    return track(answers, description=what, total=total, console=Console(stderr=True), transient=True)
