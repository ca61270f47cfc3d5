import json

import pytest

from benchmarks.training import bars, leaks
from benchmarks.training.leak_sets import Clean, clean_sets, undeclared
from leadlight.workspace import Attribute, TablesInfo
from tests.training import audited
from training.audit import audit


@pytest.fixture(scope="module")
def clean():
    made = audited.frames()
    info = audited.info(interest="number", industry="category")
    return Clean("made", 0, audited.tables(made), info, audited.SPLIT)


@pytest.mark.parametrize("kind", leaks.KINDS)
def test_every_kind_is_found_in_full_in_a_made_up_market(clean, kind):
    assert leaks.on_planted(clean, kind, "full").verdict in {"leak", "suspect"}


def test_a_clean_set_gives_no_alarm(clean):
    assert leaks.on_clean(clean) == []


def test_a_finding_is_counted_by_kind_and_strength():
    trials = [
        leaks.Trial("made", 0, "status synonym", "full", "leak", ""),
        leaks.Trial("made", 0, "status synonym", "weak", "ok", ""),
    ]
    alarm = leaks.FalseAlarm("made", 0, "attribute", "size", "suspect", "")
    answer = leaks.as_json(trials, [alarm])
    assert answer["leaks_found"] == {"full": 1, "middle": 0, "weak": 0}
    assert answer["leaks_planted"] == {"full": 1, "middle": 0, "weak": 1}
    assert answer["leaks_by_kind"]["status synonym"] == {"full": "1/1", "middle": "0/0", "weak": "0/1"}
    assert answer["false_alarms"] == 1
    json.dumps(answer, allow_nan=False)


def test_bars_are_named_where_they_are_missed():
    answer = {
        "leaks_found": {"full": 1, "middle": 0, "weak": 0},
        "leaks_planted": {"full": 1, "middle": 1, "weak": 1},
        "false_alarms": 1,
        "xeducation_auc_after_gate": 0.98,
        "xeducation_rename_changes": 2,
        "xeducation_used_but_must_not": ["Tags"],
    }
    keys = ["leaks_found", "false_alarms", "xeducation_auc_after_gate", "xeducation_rename_changes"]
    assert [bar.key for bar in bars.missed(leaks.figures(answer))] == keys
    fine = {"leaks_found": answer["leaks_planted"], "leaks_planted": answer["leaks_planted"], "false_alarms": 0}
    unmeasured = {"xeducation_auc_after_gate": None, "xeducation_rename_changes": None}
    assert bars.missed(leaks.figures({**fine, **unmeasured})) == []
    used = {"xeducation_auc_after_gate": 0.9, "xeducation_rename_changes": 0, "xeducation_used_but_must_not": ["Tags"]}
    assert [bar.key for bar in bars.missed(leaks.figures({**fine, **used}))] == ["xeducation_rename_changes"]


def test_a_missed_bar_ends_with_1_and_is_told(monkeypatch, capsys):
    trial = leaks.Trial("made", 0, "status synonym", "middle", "ok", "")
    answer = leaks.as_json([trial], [])
    answer |= {"xeducation_auc_after_gate": None, "xeducation_rename_changes": None}
    monkeypatch.setattr(leaks, "measure", lambda *_: answer)
    assert leaks.run([]) == 1
    assert "MISSED: leaks_found: 0 of 1" in capsys.readouterr().err


def test_what_was_declared_is_taken_away():
    info = TablesInfo("g", 1, "time", (Attribute("size", "number", "creation"),), {})
    assert undeclared(info).attributes[0].known_at == "unknown"


def test_a_simulated_market_is_a_clean_set():
    clean = next(clean_sets(None, 1, leads=600))
    assert clean.tables.leads.collect().height == 600
    assert {one.known_at for one in clean.info.attributes} == {"unknown"}
    assert audit(clean.tables, clean.info, clean.split).leads < 600


def test_bad_usage_ends_with_2(tmp_path, capsys):
    assert leaks.run(["--data", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        leaks.run(["--seeds", "0"])
    assert stopped.value.code == 2
