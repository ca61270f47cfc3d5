"""What training does with data and files that nobody hopes for, by the commands on a small simulated market."""

import json
import resource
import shutil
from contextlib import contextmanager
from hashlib import sha256

import polars as pl
import pytest

from leadlight import bundle as bundles
from leadlight.__main__ import main
from leadlight.workspace import Workspace

pytestmark = pytest.mark.slow

KEY = "a key for bad input only"
LEADS = 300
QUESTION = ("train", "--target", "sql", "--trials", "1", "--ages", "1d,7d", "--no-track")
LAST_ATTRIBUTE = "          acquisition_channel: { kind: category, known_at: creation }\n"
LAST_OF_TASKS = "          channel: { column: task_type, map: { 電話: phone, 商談: visit } }\n"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", KEY)


@pytest.fixture
def run(capsys):
    """Give the command: its JSON where it ends well, else its last line on stderr."""

    def command(*words, status=0):
        with pytest.raises(SystemExit) as left:
            main([*(str(word) for word in words), "--json"])
        said = capsys.readouterr()
        assert left.value.code == status, said.err
        assert "Traceback" not in said.err
        if status == 0:
            return json.loads(said.out)
        last = said.err.splitlines()[-1]
        assert last == f"error: {json.loads(said.out)['error']}"
        return last

    return command


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """A market of 300 leads, of which every third reaches sql after twenty days; little of its mail is kept."""
    folder = tmp_path_factory.mktemp("bad") / "market"
    with pytest.raises(SystemExit):
        main(["simulate", str(folder), "--leads", str(LEADS), "--seed", "1"])
    mail = folder / "raw" / "mail_events.csv"
    mail.write_text("".join(mail.read_text(encoding="utf-8").splitlines(keepends=True)[:500]), encoding="utf-8")
    return folder


def contacts(folder):
    return pl.read_csv(folder / "raw" / "contacts.csv", infer_schema=False).with_row_index("number")


def entries(folder, chosen, stage, days=20):
    """Make rows of the history: the chosen contacts enter a stage so many days after their creation."""
    created = pl.col("created").str.to_datetime("%Y/%m/%d %H:%M:%S").dt.offset_by(f"{days}d")
    found = contacts(folder).filter(chosen)
    return found.select("contact_id", stage=pl.lit(stage), at=created.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))


def ingested(market, folder, run, *, history=None, columns=None, attributes=(), values=None):
    """Copy the market with another history, more columns of contacts or values of tasks, and ingest it."""
    shutil.copytree(market, folder)
    mapping = (folder / "mapping.yaml").read_text(encoding="utf-8")
    if history is not None:
        rows = pl.concat(history) if history else entries(folder, pl.lit(value=False), "lead")
        rows = rows.select("contact_id", "stage", entered_at="at", reason=pl.lit(None), amount=pl.lit(None))
        rows.write_csv(folder / "raw" / "lifecycle_history.csv")
    if columns:
        contacts(folder).with_columns(**columns).drop("number").write_csv(folder / "raw" / "contacts.csv")
        lines = "".join(f"          {name}: {{ kind: {kind}, known_at: creation }}\n" for name, kind in attributes)
        mapping = mapping.replace(LAST_ATTRIBUTE, LAST_ATTRIBUTE + lines, 1)
    if values:
        tasks = folder / "raw" / "crm_tasks.csv"
        pl.read_csv(tasks, infer_schema=False).with_columns(v=cycle(values)).write_csv(tasks)
        mapping = mapping.replace(LAST_OF_TASKS, f"{LAST_OF_TASKS}          value: v\n", 1)
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    run("ingest", folder / "mapping.yaml", "--data", folder / "raw", "--workspace", folder / "ws")
    return Workspace.at(folder / "ws")


def cycle(values):
    return pl.lit(pl.Series(values)).gather(pl.int_range(pl.len()) % len(values))


EVERY = pl.lit(value=True)
THIRD = pl.col("number") % 3 == 0


@pytest.fixture(scope="module")
def served(market):
    """A market with outcomes whose rules serve, and whose model was trained."""
    folder = market.parent / "served"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLIGHT_SIGNING_KEY", KEY)
        ingested(market, folder, quietly, history=[entries(market, THIRD, "sql")])
        words = (*QUESTION, "--horizon", "60d", "--workspace", folder / "ws")
        quietly(*words, "--rung", "rules")
        quietly(*words, "--rung", "model")
        quietly("evaluate", "--from", "2025-05-01", "--workspace", folder / "ws")
    return folder


def quietly(*words):
    with pytest.raises(SystemExit) as left:
        main([*(str(word) for word in words), "--json"])
    assert left.value.code == 0


@pytest.fixture
def room(served, tmp_path):
    shutil.copytree(served / "ws", tmp_path / "ws")
    return Workspace.at(tmp_path / "ws")


@contextmanager
def untouched(room):
    """Check that a command loses and leaves nothing, and that what serves can still be loaded."""
    before = contents(room)
    yield
    assert contents(room) == before
    assert bundles.load(room.bundle_path(room.current_version()), KEY.encode())


def contents(room):
    """Give every file with its hash; SQLite's own log beside a database holds nothing of it that counts."""
    files = [path for path in sorted(room.root.rglob("*")) if path.is_file()]
    kept = [path for path in files if not path.name.endswith(("-wal", "-shm"))]
    return {str(path.relative_to(room.root)): sha256(path.read_bytes()).hexdigest() for path in kept}


@contextmanager
def files_up_to(size):
    """Let no file of this process grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def ladder_of(room, version):
    return bundles.load(room.bundle_path(version), KEY.encode()).training["ladder"]


def test_without_any_outcome_the_prior_answers_within_the_usual_time(market, tmp_path, run):
    room = ingested(market, tmp_path / "m", run, history=[entries(market, EVERY, "lead", 0)])
    found = run(*QUESTION, "--workspace", room.root)
    assert ladder_of(room, found["version"])["rung"] == "prior"
    assert "no outcome is known at the cut" in found["why"]
    assert (found["split"]["horizon_days"], found["split"]["horizon_source"]) == (90.0, "usual")
    assert found["current"] == found["version"]
    assert found["n_test"] == 0
    page = room.model_card_path(found["version"]).read_text(encoding="utf-8")
    assert "nobody had reached the target by the cut: it is the usual one" in page
    measured = run("evaluate", "--from", "2025-05-01", "--workspace", room.root)
    assert measured["comparison"]["positives"] == 0
    assert run("audit", "--target", "customer", "--workspace", room.root)["target"] == "customer"
    assert [line["audit"] for line in run("models", "list", "--workspace", room.root)["models"]] == ["no outcomes"]


def test_a_target_never_reached_moves_the_rules_and_no_more(market, tmp_path, run):
    history = [entries(market, THIRD, "sql"), entries(market, ~THIRD, "lost", 40)]
    room = ingested(market, tmp_path / "m", run, history=history)
    found = run(*QUESTION[:2], "customer", *QUESTION[3:], "--workspace", room.root)
    assert ladder_of(room, found["version"])["rung"] == "rules"
    assert found["why"].startswith("0 leads with a success and ")
    assert (found["split"]["horizon_days"], found["split"]["horizon_source"]) == (240.0, "usual")


def test_successes_alone_of_ended_horizons_are_told_and_answered_by_the_rules(market, tmp_path, run):
    room = ingested(market, tmp_path / "m", run, history=[entries(market, EVERY, "sql")])
    found = run(*QUESTION, "--workspace", room.root)
    assert ladder_of(room, found["version"])["rung"] == "rules"
    assert "had ended, and all succeeded" in found["why"]
    with untouched(room):
        said = run(*QUESTION, "--rung", "model", "--workspace", room.root, status=2)
    assert "no failure is known at the cut, only successes; leave --rung out" in said


def test_where_all_is_censored_the_prior_answers(market, tmp_path, run):
    history = [entries(market, pl.col("number") > LEADS - 10, "sql")]
    room = ingested(market, tmp_path / "m", run, history=history)
    found = run(*QUESTION, "--horizon", "900d", "--workspace", room.root)
    assert ladder_of(room, found["version"])["rung"] == "prior"
    assert "no outcome is known at the cut" in found["why"]
    assert found["n_test"] == 0


def test_three_wins_among_many_leads_are_for_the_rules(market, tmp_path, run):
    history = [entries(market, pl.col("number").is_in([5, 50, 120]), "sql"), entries(market, EVERY, "lost", 70)]
    room = ingested(market, tmp_path / "m", run, history=history)
    found = run(*QUESTION, "--horizon", "30d", "--workspace", room.root)
    assert ladder_of(room, found["version"])["rung"] in {"prior", "rules"}
    assert "3 leads with a success" in found["why"]
    with untouched(room):
        said = run(*QUESTION, "--horizon", "30d", "--rung", "model", "--workspace", room.root, status=2)
    assert "3 leads are known to have succeeded at the cut, at least 25 are needed; leave --rung out" in said


COLUMNS = {
    "same": (pl.col("industry"), "category"),
    "twice": (pl.col("employees"), "number"),
    "constant": (pl.lit("x"), "category"),
    "five": (pl.lit("5"), "number"),
    "empty": (pl.lit(None, dtype=pl.String), "category"),
    "token": (pl.format("t{}", pl.col("number").hash(3) % 10_000), "category"),
    "amount": (cycle(["1e15", "-1e15", "1e308", "12", None]), "number"),
}


@pytest.fixture(scope="module")
def odd(market):
    """Outcomes, and columns that no catalog hopes for; of the values of calls some are beyond all bounds."""
    folder = market.parent / "odd"
    ingested(
        market,
        folder,
        quietly,
        history=[entries(market, THIRD, "sql")],
        columns={name: column for name, (column, _) in COLUMNS.items()},
        attributes=[(name, kind) for name, (_, kind) in COLUMNS.items()],
        values=["1e15", "1e308", "-1e15", "3", None, "7"],
    )
    return Workspace.at(folder / "ws")


@pytest.mark.parametrize("rung", ["rules", "scorecard", "model"])
def test_duplicate_constant_and_nearly_unique_columns_and_huge_amounts_are_borne(odd, run, rung):
    found = run(*QUESTION, "--horizon", "60d", "--rung", rung, "--workspace", odd.root)
    assert found["why"].endswith("leads with a success")
    assert found["reasons_max_error"] < 1e-6
    scorer = bundles.load(odd.bundle_path(found["version"]), KEY.encode()).scorer
    named = {spec.attribute for spec in scorer.specs}
    assert not named & {"constant", "five", "empty", "token"}
    if rung == "model":
        assert {"industry", "same", "employees", "twice", "amount"} <= named


BAD = ["inf", "1e400", "NaN", "many", "-Infinity"]


def test_amounts_that_are_no_numbers_cost_no_lead_and_training_goes_on(market, tmp_path, run):
    folder = tmp_path / "m"
    room = ingested(
        market,
        folder,
        run,
        history=[entries(market, THIRD, "sql")],
        columns={"amount": cycle([*BAD, "12", "7", None]), "worst": cycle(BAD)},
        attributes=[("amount", "number"), ("worst", "number")],
        values=[*BAD, "3"],
    )
    said = run("ingest", folder / "mapping.yaml", "--data", folder / "raw", "--workspace", folder / "again")
    told = {file["file"]: file["tables"][0] for file in said["files"]}
    assert told["contacts.csv"]["causes"] == told["crm_tasks.csv"]["causes"] == {}
    values = told["crm_tasks.csv"]["unreadable"]["value"]
    assert values["examples"] == [{"row": row, "value": text} for row, text in enumerate(BAD[:3], start=2)]
    assert values["count"] > told["crm_tasks.csv"]["rows"] // 2
    leads = told["contacts.csv"]["unreadable"]
    assert leads["worst"]["count"] == leads["worst"]["of"] == told["contacts.csv"]["rows"]
    assert room.tables_info().rows["leads"] == LEADS
    assert room.tables_info().rows["stages"] == LEADS // 3
    for rung in ("scorecard", "model"):
        found = run(*QUESTION, "--horizon", "60d", "--rung", rung, "--workspace", room.root)
        assert found["reasons_max_error"] < 1e-6
        named = {spec.attribute for spec in bundles.load(room.bundle_path(found["version"]), KEY.encode()).scorer.specs}
        assert "worst" not in named


def test_a_corrupt_study_is_named_and_nothing_is_lost(room, run):
    words = (*QUESTION, "--horizon", "60d", "--rung", "model", "--workspace", room.root)
    study = room.studies_db
    study.write_bytes(study.read_bytes()[: study.stat().st_size // 2])
    with untouched(room):
        said = run(*words, status=2)
    assert f"the studies `{study}` are damaged" in said
    assert "move the file away" in said
    study.unlink()
    assert run(*words)["kind"] == "lightgbm"


@pytest.mark.parametrize(
    ("size", "words", "what"),
    [
        (2_000, (*QUESTION, "--horizon", "60d", "--rung", "model", "--seed", "3"), "studies.db"),
        (500, (*QUESTION, "--horizon", "60d", "--rung", "rules"), "bundles"),
        (60_000, (*QUESTION, "--horizon", "60d", "--rung", "rules"), "bundles"),
        (100, ("evaluate", "--from", "2025-06-01"), "evaluation.json"),
        (100, ("models", "promote", "LAST", "--because", "a test"), "history.jsonl"),
    ],
    ids=["study", "bundle", "late in the bundle", "report", "promotion"],
)
def test_a_limit_of_file_sizes_costs_the_command_and_nothing_else(room, run, size, words, what):
    words = [room.bundle_versions()[-1] if word == "LAST" else word for word in words]
    with untouched(room), files_up_to(size):
        said = run(*words, "--workspace", room.root, status=2)
    assert what in said
    assert "raise the limit of file sizes" in said
    assert not [path for path in room.root.rglob("*") if ".tmp" in path.name]


@pytest.mark.parametrize("size", [100, 8_000])
def test_a_limit_of_file_sizes_while_ingesting_leaves_the_tables(served, room, run, size):
    words = ("ingest", served / "mapping.yaml", "--data", served / "raw", "--workspace", room.root)
    with untouched(room), files_up_to(size):
        said = run(*words, status=2)
    assert "File too large" in said
    assert "raise the limit of file sizes" in said


def test_where_no_model_card_can_be_written_the_training_is_finished_and_tells_it(room, run, capsys):
    current = room.current_version()
    shutil.rmtree(room.reports / "model_cards")
    (room.reports / "model_cards").write_text("in the way", encoding="utf-8")
    words = [*QUESTION, "--horizon", "60d", "--rung", "rules", "--workspace", room.root, "--json"]
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    said = capsys.readouterr()
    assert left.value.code == 1, said.err
    found = json.loads(said.out)
    assert "model_cards" in found["card_problem"]
    assert "cannot be written" in found["card_problem"]
    assert room.current_version() == found["current"] == current
    assert room.bundle_path(found["version"]).is_dir()
    assert run("models", "list", "--workspace", room.root)
