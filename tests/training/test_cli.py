import json

import polars as pl
import pytest

from leadlight.__main__ import main
from leadlight.errors import WorkspaceError
from leadlight.schema import DAY
from tests.training import market
from training import model_card
from training.predictions import PREDICTIONS


def run(capsys, *words, status=0):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    said = capsys.readouterr()
    assert left.value.code == status, said.err
    return said


@pytest.fixture
def room(frames, tmp_path):
    return market.publish(tmp_path / "ws", frames)


QUESTION = (
    "train",
    "--target",
    "sql",
    "--horizon",
    "30d",
    "--test-from",
    "2025-06-01",
    "--ages",
    "1d,7d",
    "--trials",
    "1",
)


@pytest.mark.slow
def test_train_prints_one_object_and_tracks(room, capsys):
    said = run(capsys, *QUESTION, "--rung", "model", "--workspace", room.root, "--json")
    found = json.loads(said.out)
    assert found["kind"] == "lightgbm"
    assert found["split"]["test_from"] == "2025-06-01"
    assert found["split"]["horizon_days"] == 30
    assert found["n_test"] > found["positives"] > 50
    assert found["metrics"]["auc"]["model"]["low"] < found["metrics"]["auc"]["model"]["value"]
    assert [row["age"] for row in found["ece_by_age"]] == ["1d", "7d"]
    assert found["better_than_rules"] is True
    assert found["current"] == found["version"] == room.current_version()
    assert len(found["run_id"]) == 32
    assert found["reasons_max_error"] <= 1e-9
    assert found["tracking_error"] is None
    assert "features:" in said.err
    assert "alembic" not in said.err
    assert "INFO" not in said.err


def test_when_the_server_is_away_the_training_is_not_lost(room, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    said = run(capsys, *QUESTION, "--rung", "rules", "--workspace", room.root, "--json")
    found = json.loads(said.out)
    assert found["run_id"] is None
    assert "MLflow at `http://127.0.0.1:9` cannot be reached" in found["tracking_error"]
    assert room.current_version() == found["version"]
    (note,) = [line for line in said.err.splitlines() if line.startswith("note: ")]
    assert "1 run is kept in the workspace" in note


def test_without_its_card_a_training_is_finished_and_told(room, capsys, monkeypatch):
    def full(*_):
        raise WorkspaceError("no room left")

    monkeypatch.setattr(model_card, "write", full)
    said = run(capsys, *QUESTION, "--rung", "rules", "--no-track", "--workspace", room.root, "--json", status=1)
    found = json.loads(said.out)
    assert found["card_problem"] == "the bundle is complete, but has no model card: no room left"
    assert f"note: {found['card_problem']}" in said.err
    assert room.current_version() == found["version"]
    assert not room.model_card_path(found["version"]).exists()


def test_train_for_people_uses_the_workspace_card(room, capsys, monkeypatch):
    room.card.write_text("- not a card\n")
    said = run(capsys, *QUESTION, "--workspace", room.root, "--no-track", status=2)
    assert "card.yaml" in said.err
    said = run(capsys, *QUESTION, "--card", "simple", "--workspace", room.root, "--no-track")
    assert "serving:" in said.out
    assert "mlflow server" not in said.out
    assert not (room.root / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--test-from", "yesterday-ish"), "--test-from `yesterday-ish`"),
        (("--test-from", "170%"), "between 0% and 100%"),
        (("--test-from", "x%"), "such as 70%"),
        (("--horizon", "60"), "--horizon `60`"),
        (("--ages", "1d,,7d"), "--ages"),
        (("--until", "2025-05-01"), "--until"),
        (("--reference", "1.5"), "--reference 1.5"),
        (("--card", "nowhere.yaml"), "nowhere.yaml"),
        (("--features", "nowhere.yaml"), "nowhere.yaml"),
        (
            ("--allow", "salary", "--because", "asked early"),
            "--allow: attribute or activity type `salary` does not exist",
        ),
        (("--target", "won"), "won"),
        (("--trials", "0"), "--trials"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(room, capsys, words, problem):
    said = run(capsys, *QUESTION, *words, "--workspace", room.root, status=2)
    assert problem in said.err
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("error: ")
    assert not room.bundles.exists()


def test_without_tables(tmp_path, capsys):
    said = run(capsys, *QUESTION, "--workspace", tmp_path / "empty", status=2)
    assert "leadlight ingest" in said.err


def test_times_mean_nothing_without_a_clock(frames, tmp_path, capsys):
    room = market.publish(tmp_path / "ws", frames, market.info(clock="order"))
    said = run(capsys, *QUESTION, "--workspace", room.root, status=2)
    assert "--horizon 30d: this data has an order but no clock" in said.err


def test_evaluate_writes_the_report_and_the_predictions(trained, tmp_path, capsys):
    room, model = trained
    room.set_current(model.bundle.version)
    out = tmp_path / "p.parquet"
    words = ("--from", "2025-06-01", "--to", "2025-09-20", "--ages", "1d,7d", "--workspace", room.root)
    said = run(capsys, "evaluate", *words, "--predictions", out, "--json")
    found = json.loads(said.out)
    assert json.loads((room.reports / "evaluation.json").read_text()).items() <= found.items()
    table = pl.read_parquet(out)
    assert table.schema == PREDICTIONS
    assert table.height == found["snapshots"]
    assert table["label"].null_count() == found["censored"]
    mature = table.filter(pl.col("as_of").dt.timestamp("us") <= market.START + (market.DAYS - 30) * DAY)
    assert mature.height == found["n_test"]
    assert int(mature["label"].sum()) == found["positives"]
    said = run(capsys, "evaluate", *words)
    assert "rule score" in said.out


def test_evaluate_refuses_before_it_works(trained, tmp_path, capsys):
    room, model = trained
    words = ("evaluate", "--from", "2025-06-01", "--workspace", room.root)
    assert "no current bundle" in run(capsys, *words, status=2).err
    version = ("--bundle", model.bundle.version)
    assert ".parquet" in run(capsys, *words, *version, "--predictions", tmp_path / "p.csv", status=2).err
    assert "models list" in run(capsys, *words, "--bundle", "unknown", status=2).err
    assert not (room.reports / "evaluation.json").exists()


@pytest.mark.parametrize("verb", [("train",), ("evaluate",)])
def test_every_verb_has_an_example(verb, capsys):
    assert "Example: leadlight" in " ".join(run(capsys, *verb, "--help").out.split())
