import json

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from leadlight.errors import InputError, WorkspaceError
from tests.training import audited, market
from training import audit_cli, audit_run
from training.audit_run import audit_workspace

FROM = "2025-08-01"


def workspace(made, root, info):
    return market.publish(root / "ws", {name: frame.drop(OWN, strict=False) for name, frame in made.items()}, info)


OWN = ("wins", "loses", "outcome")


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return workspace(audited.frames(), tmp_path_factory.mktemp("clean"), audited.info(interest="number"))


@pytest.fixture(scope="module")
def leaking(tmp_path_factory):
    made = audited.frames()
    made = audited.with_column(made, package=pl.when("wins").then(pl.lit("large")))
    made = audited.with_column(made, running=pl.int_range(pl.len()).cast(pl.Float64))
    info = audited.info(interest="number", package="category", running="number")
    return workspace(made, tmp_path_factory.mktemp("leaking"), info)


def invoke(room, *arguments):
    app = typer.Typer()
    app.callback()(lambda: None)
    audit_cli.register(app)
    asked = ["audit", "--workspace", str(room.root), "--target", "customer", "--horizon", "60d", "--test-from", FROM]
    return CliRunner().invoke(app, [*asked, *arguments])


def test_a_clean_workspace_ends_with_0(clean):
    done = invoke(clean)
    assert done.exit_code == 0, done.output
    assert "ok       attribute  interest" in done.output


def test_a_leak_ends_with_1_and_is_told(leaking):
    done = invoke(leaking)
    assert done.exit_code == 1
    assert "leak     attribute  package" in done.output
    assert "suspect  attribute  running" in done.output
    assert "2 of" in done.output


def test_json_is_one_object(leaking):
    done = invoke(leaking, "--json")
    answer = json.loads(done.stdout)
    assert done.exit_code == 1
    assert answer["dropped_attributes"] == ["package", "running"]


def test_a_suspect_may_be_allowed_with_a_reason(leaking):
    done = invoke(leaking, "--allow", "running", "--because", "assigned at the fair", "--json")
    answer = json.loads(done.stdout)
    assert answer["dropped_attributes"] == ["package"]
    assert answer["allowed"] == {"running": "assigned at the fair"}
    assert (
        "allowed: assigned at the fair"
        in invoke(leaking, "--allow", "running", "--because", "assigned at the fair").output
    )


def test_a_leak_or_a_reasonless_allowance_is_refused(leaking):
    assert isinstance(invoke(leaking, "--allow", "package", "--because", "x").exception, InputError)
    assert isinstance(invoke(leaking, "--allow", "running").exception, InputError)


@pytest.mark.parametrize("wrong", [("--test-from", "x%"), ("--test-from", "200%")])
def test_options_without_meaning_are_refused(clean, wrong):
    assert isinstance(invoke(clean, *wrong).exception, InputError)


def test_a_target_that_does_not_exist_is_refused(clean):
    done = invoke(clean, "--target", "mql")
    assert done.exit_code == 2
    assert "'mql' is not one of" in done.output
    with pytest.raises(InputError, match="--target `mql` does not exist"):
        audit_workspace(clean, target="mql", test_from="70%")


def test_an_empty_workspace_is_an_error(tmp_path):
    with pytest.raises(WorkspaceError, match="holds no tables"):
        audit_workspace(market.Workspace.at(tmp_path), target="customer", test_from="70%")


def test_hygiene_is_optional(clean):
    found = audit_run.audit_workspace(clean, target="customer", test_from="70%", horizon="60d", hygiene=False)
    assert found.won > 0
