"""The verbs `serve` and `keys`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlight.command_line import JsonOption, WorkspaceOption, print_json

if TYPE_CHECKING:
    from serving.keys import KeyInfo
    from serving.server import Started
    from serving.store.database import Store

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="LEADLIGHT_DATABASE_URL",
        help="Database of the service; by default `serve.db` in the workspace.",
        show_default=False,
    ),
]
DEFAULT_WORKSPACE = Path("workspace")


def register(app: typer.Typer) -> None:
    """Add the verbs of serving to the command."""
    app.command(name="serve")(serve)
    group = typer.Typer(no_args_is_help=True, help="API keys of the service.")
    group.command(name="create")(create_key)
    group.command(name="list")(list_keys)
    group.command(name="revoke")(revoke_key)
    app.add_typer(group, name="keys")


def serve(
    *,
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 = any free one.")] = 8_000,
    everybody: Annotated[
        bool, typer.Option("--open", help="Ask for no API key; only where no other machine can reach the address.")
    ] = False,
    max_body: Annotated[int, typer.Option(help="Largest body of a request, in bytes.")] = 1_048_576,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer requests for scores over HTTP until it is stopped.

    Verifies and loads the workspace's current bundle, imports its tables once, and prints the address and a `curl`
    that works. Without a usable bundle the rule card answers, and every answer says `degraded: true`.

    Example: leadlight serve --workspace workspace --open
    """
    from serving.settings import Settings

    settings = Settings(host=host, port=port, everybody=everybody, max_body=max_body)
    from serving.lean import refuse_heavy_imports

    refuse_heavy_imports()
    from leadlight.workspace import Workspace
    from serving.server import run

    run(Workspace.at(workspace), settings, database_url, _announce_json if as_json else _announce)


def create_key(
    label: Annotated[str, typer.Option(help="Which system will use it, such as `crm`.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an API key and show it once; only its hash is stored.

    Example: leadlight keys create --label crm
    """
    from serving import keys

    with _store(workspace, database_url) as store:
        info, secret = keys.create(store, label)
    if as_json:
        print(json.dumps({"key": secret, **_key_json(info)}))
    else:
        print(secret)
        print(f"key {info.key_id} for `{label}`: keep it now, it is not shown again", file=sys.stderr)


def list_keys(
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the API keys, without their secrets.

    Example: leadlight keys list
    """
    from serving import keys

    with _store(workspace, database_url) as store:
        found = [_key_json(info) for info in keys.listing(store)]
    if as_json:
        print(json.dumps({"keys": found}))
        return
    for info in found:
        state = "valid" if info["revoked_at"] is None else f"revoked {info['revoked_at']}"
        print(f"{info['key_id']}  {state}  made {info['created_at']}  {info['label']}")
    if not found:
        print("no API key yet: leadlight keys create --label NAME", file=sys.stderr)


def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `leadlight keys list` shows it.")],
    workspace: WorkspaceOption = DEFAULT_WORKSPACE,
    database_url: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an API key invalid at once, in running services too.

    Example: leadlight keys revoke 1f3c5a7b9d0e
    """
    from serving import keys

    with _store(workspace, database_url) as store:
        keys.revoke(store, key_id)
    print(json.dumps({"revoked": key_id}) if as_json else f"key {key_id} is revoked")


@contextmanager
def _store(workspace: Path, database_url: str | None) -> "Iterator[Store]":
    from leadlight.workspace import Workspace
    from serving.store.database import open_store

    store = open_store(database_url or Workspace.at(workspace).serve_db)
    try:
        yield store
    finally:
        store.close()


def _key_json(info: "KeyInfo") -> dict[str, str | None]:
    from serving.clock import to_datetime

    return {
        "key_id": info.key_id,
        "label": info.label,
        "created_at": to_datetime(info.created_at).isoformat(timespec="seconds"),
        "revoked_at": None if info.revoked_at is None else to_datetime(info.revoked_at).isoformat(timespec="seconds"),
    }


def _announce_json(told: "Started") -> None:
    from serving.server import to_json

    print_json(to_json(told), flush=True)


def _announce(told: "Started") -> None:
    if told.problem is not None:
        print(f"warning: no usable bundle, the rule card answers: {told.problem}", file=sys.stderr)
    if told.keys == 0:
        print("warning: no API key yet, nobody can ask; run `leadlight keys create --label NAME`", file=sys.stderr)
    print(f"serving {told.leads:,} leads and {told.activities:,} activities with {told.model_version}")
    print(f"address  {told.address}")
    print(f"try      {told.curl}", flush=True)
