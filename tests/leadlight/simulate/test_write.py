import hashlib

import pytest

import leadlight.simulate.write
from leadlight.errors import InputError
from leadlight.simulate.record import Options
from leadlight.simulate.write import write_market

SMALL = Options(leads=60, seed=2, months=6)


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_market(tmp_path / name, SMALL)
    write_market(tmp_path / "c", Options(leads=60, seed=3, months=6))
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a") != digest(tmp_path / "c")


def test_one_lead_is_a_market(tmp_path):
    summary = write_market(tmp_path / "one", Options(leads=1, seed=1, months=1))
    assert summary.leads == summary.companies == 1


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    write_market(tmp_path / "market", SMALL)
    before = digest(tmp_path)
    with pytest.raises(InputError, match="--force"):
        write_market(tmp_path / "market", SMALL)
    (tmp_path / "market" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="thesis"):
        write_market(tmp_path / "market", SMALL, replace=True)
    (tmp_path / "market" / "thesis.txt").unlink()
    with pytest.raises(InputError, match="is a file"):
        write_market(tmp_path / "market" / "mapping.yaml", SMALL)
    assert digest(tmp_path) == before


def test_a_market_can_be_replaced(tmp_path):
    (tmp_path / "market").mkdir()
    write_market(tmp_path / "market", SMALL)
    before = digest(tmp_path / "market")
    write_market(tmp_path / "market", Options(leads=70, seed=2, months=6), replace=True)
    assert digest(tmp_path / "market") != before
    assert [path.name for path in tmp_path.iterdir()] == ["market"]


@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch, existing):
    if existing:
        write_market(tmp_path / "market", SMALL)
    before = digest(tmp_path)

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(leadlight.simulate.write, "write_truth", full)
    with pytest.raises(OSError, match="no space"):
        write_market(tmp_path / "market", SMALL, replace=True)
    assert digest(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == (["market"] if existing else [])
