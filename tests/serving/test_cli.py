import json

import pytest
import typer
from typer.testing import CliRunner

from leadlight.errors import InputError
from serving import cli


@pytest.fixture
def call(tmp_path):
    app = typer.Typer()
    cli.register(app)
    runner = CliRunner()

    def run(*words):
        return runner.invoke(app, [*words, "--workspace", str(tmp_path / "ws")])

    return run


def test_keys_from_creation_to_revocation(call):
    made = json.loads(call("keys", "create", "--label", "crm", "--json").stdout)
    assert made["key"].startswith(f"ll_{made['key_id']}_")
    listed = json.loads(call("keys", "list", "--json").stdout)["keys"]
    assert [(key["key_id"], key["label"], key["revoked_at"]) for key in listed] == [(made["key_id"], "crm", None)]
    assert made["key"] not in call("keys", "list").stdout
    assert json.loads(call("keys", "revoke", made["key_id"], "--json").stdout) == {"revoked": made["key_id"]}
    assert "revoked 20" in call("keys", "list").stdout


def test_for_people_the_key_is_the_only_thing_on_stdout(call):
    shown = call("keys", "create", "--label", "ma")
    assert shown.stdout.startswith("ll_")
    assert len(shown.stdout.split()) == 1
    assert "not shown again" in shown.stderr
    assert "is revoked" in call("keys", "revoke", shown.stdout.split("_")[1]).stdout


def test_no_key_yet(call):
    shown = call("keys", "list")
    assert (shown.stdout, "keys create" in shown.stderr) == ("", True)


def test_an_unknown_key_is_an_input_error(call):
    assert isinstance(call("keys", "revoke", "nobody").exception, InputError)


def test_an_open_service_for_everybody_is_refused_before_anything_starts(call, tmp_path):
    refused = call("serve", "--open", "--host", "0.0.0.0")
    assert isinstance(refused.exception, InputError)
    assert not (tmp_path / "ws").exists()


def test_what_is_announced(capsys):
    from serving.server import Started

    told = Started("http://h:1", "curl x", "rules:standard", True, "no bundle", 2_000, 3_000, 0)
    cli._announce(told)
    shown = capsys.readouterr()
    assert "2,000 leads" in shown.out
    assert "curl x" in shown.out
    assert "no bundle" in shown.err
    assert "keys create" in shown.err
    cli._announce_json(told)
    assert json.loads(capsys.readouterr().out)["address"] == "http://h:1"
