"""A workspace with the made-up market, and one training on it that many tests read."""

import shutil
from functools import partial

import pytest

from tests.training import market
from training import evaluate, pipeline

QUICK = partial(evaluate.compare, replicates=100)


@pytest.fixture(autouse=True)
def quick_and_signed(monkeypatch):
    """Sign by a key of the tests, track into the workspace, and bootstrap a hundred times where a thousand is usual."""
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", market.KEY)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEADLIGHT_MLFLOW_NAME", raising=False)
    monkeypatch.setattr(evaluate, "compare", QUICK)


@pytest.fixture(scope="session")
def frames():
    return market.frames()


@pytest.fixture(scope="session")
def first(frames, tmp_path_factory):
    """Train once; give (workspace, what was trained). Tests must not change this workspace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLIGHT_SIGNING_KEY", market.KEY)
        patch.setattr(evaluate, "compare", QUICK)
        room = market.publish(tmp_path_factory.mktemp("market") / "ws", frames)
        return room, pipeline.train(room, market.options())


@pytest.fixture
def trained(first, tmp_path):
    """Give a copy of the workspace with its training, to be changed at will."""
    shutil.copytree(first[0].root, tmp_path / "ws")
    return type(first[0]).at(tmp_path / "ws"), first[1]
