"""What the demo does around the main job; the whole of it runs in `tests.e2e.test_demo`."""

import json
import shlex
from io import StringIO

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from leadlight import demo
from leadlight.errors import ServiceError, WorkspaceError
from leadlight.workspace import TablesInfo, Workspace
from serving.server import bound


@pytest.fixture
def tour(tmp_path):
    tour = demo._Tour(Workspace.at(tmp_path / "ws"), Console(file=StringIO(), width=40))
    tour.room.root.mkdir()
    return tour


def store(tour, generation):
    """Leave what an ingestion leaves."""
    tour.room.publish_tables(TablesInfo(generation, 0, "time", (), {}))
    (tour.room.root / "tables" / generation).mkdir(parents=True)


def test_an_earlier_demo_makes_room_for_the_next(tour):
    tour.clear()
    store(tour, "g1")
    tour.mark()
    tour.market.mkdir()
    tour.room.serve_db.touch()
    tour.clear()
    assert [path.name for path in tour.room.root.iterdir()] == [demo.MARK]


def test_a_demo_that_was_interrupted_makes_room_too(tour):
    tour.clear()
    tour.market.mkdir()
    tour.clear()
    assert not tour.market.exists()


def test_only_what_a_demo_leaves_is_removed(tour):
    tour.clear()
    (tour.room.root / "features.yaml").write_text("drop: []\n")
    (tour.room.root / "raw").mkdir()
    tour.market.mkdir()
    tour.clear()
    assert sorted(path.name for path in tour.room.root.iterdir()) == [demo.MARK, "features.yaml", "raw"]


@pytest.mark.parametrize("name", demo.LEFT)
def test_what_came_from_elsewhere_is_left_alone(tour, name):
    (tour.room.root / name).write_text("mine")
    with pytest.raises(WorkspaceError, match=f"holds `{name}`, not the demo's; choose another --workspace"):
        tour.clear()
    assert [path.name for path in tour.room.root.iterdir()] == [name]


def test_tables_that_were_ingested_after_the_demo_are_left_alone(tour):
    tour.clear()
    store(tour, "g1")
    tour.mark()
    store(tour, "own")
    with pytest.raises(WorkspaceError, match=r"holds `tables\.json`"):
        tour.clear()
    assert (tour.room.root / "tables" / "own").exists()


def test_the_hand_over_gives_one_line_to_copy_for_the_most_likely_lead(tour):
    tour.explained = [("L7", 1_735_689_600_000_001), ("L8", 0)]
    tour.hand_over(8_123)
    address, tried = tour.console.file.getvalue().splitlines()
    assert address.split() == ["address", "http://127.0.0.1:8123"]
    words = shlex.split(tried)
    assert words[:4] == ["try", "curl", "-s", "http://127.0.0.1:8123/v1/score"]
    assert json.loads(words[-1]) == {"lead_id": "L7", "as_of": "2025-01-01T00:00:00.000001+00:00"}


def call(*words):
    app = typer.Typer()
    demo.register_demo(app)
    return CliRunner().invoke(app, [*words])


def test_a_busy_port_is_found_out_before_any_work(tmp_path):
    with bound("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        ended = call("--port", port, "--workspace", str(tmp_path / "ws"))
    assert isinstance(ended.exception, ServiceError)
    assert not (tmp_path / "ws").exists()


@pytest.mark.parametrize("words", [("--port", "0"), ("--port", "65536"), ("--leads", "1999")])
def test_numbers_out_of_range_are_refused(tmp_path, words):
    assert call(*words, "--workspace", str(tmp_path / "ws")).exit_code == 2
    assert not (tmp_path / "ws").exists()
