import json

import pytest

from leadlight.schema import DAY
from tests.training import market
from tests.training.test_cli import QUESTION, run
from tests.training.variants import saved
from training import kept_horizon

OLD = "20200101T000000-old"
UNASKED = market.options(horizon_us=None)
WORDS = [word for word in QUESTION if word not in {"--horizon", "30d"}]


@pytest.fixture
def room(trained):
    """Give a workspace in which a bundle serves that predicts `sql` within 23 days."""
    saved(*trained, OLD, horizon_us=23 * DAY)
    trained[0].set_current(OLD)
    return trained[0]


def test_the_horizon_of_what_serves_is_kept(room):
    options, told = kept_horizon.keep(room, UNASKED)
    assert (options.horizon_us, options.horizon_of) == (23 * DAY, OLD)
    assert told == f"horizon 23d, as of the serving `{OLD}`; --horizon sets another"


def test_what_was_asked_for_holds(room):
    assert kept_horizon.keep(room, market.options()) == (market.options(), None)


def test_another_target_or_nothing_keeps_the_default(trained):
    assert kept_horizon.keep(trained[0], UNASKED) == (UNASKED, None)
    saved(*trained, OLD, target="customer")
    trained[0].set_current(OLD)
    assert kept_horizon.keep(trained[0], UNASKED) == (UNASKED, None)


def damage_bundle(room):
    (room.bundle_path(OLD) / "scorer.json").write_text("{}")


def damage_pointer(room):
    (room.bundles / "current").write_bytes(b"\xff")


def lose_bundle(room):
    (room.bundles / "current").write_text("20190101T000000-gone\n")


@pytest.mark.parametrize("damage", [damage_bundle, damage_pointer, lose_bundle])
def test_what_serves_and_cannot_be_read_is_told(room, damage):
    damage(room)
    options, told = kept_horizon.keep(room, UNASKED)
    assert options == UNASKED
    assert told.startswith("horizon: the default, as that of what serves cannot be read: ")


@pytest.mark.parametrize("damage", [damage_bundle, damage_pointer])
def test_it_does_not_stop_a_training(room, capsys, damage):
    damage(room)
    said = run(capsys, *WORDS, "--rung", "rules", "--no-track", "--workspace", room.root, "--json")
    assert "horizon: the default" in said.err
    assert '"horizon_source": "dwell"' in said.out


def test_a_retraining_says_so_and_keeps_it(room, capsys):
    said = run(capsys, *WORDS, "--rung", "rules", "--no-track", "--workspace", room.root, "--json")
    assert f"horizon 23d, as of the serving `{OLD}`" in said.err
    assert '"horizon_source": "champion"' in said.out


def test_an_audit_says_so_too(room, capsys):
    words = ["audit", "--target", "sql", "--workspace", room.root, "--json"]
    said = run(capsys, *words, status=1)
    assert f"horizon 23d, as of the serving `{OLD}`" in said.err
    assert json.loads(said.out)["horizon_source"] == "champion"
    asked = run(capsys, *words, "--horizon", "23d", status=1)
    assert "horizon" not in asked.err
    assert json.loads(asked.out)["horizon_source"] == "asked"
