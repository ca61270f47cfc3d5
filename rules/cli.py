"""`leadlight rules`: read a rule card, and check one before it counts."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlight.command_line import JsonOption, WorkspaceOption
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from rules.parse import Card


class Lang(StrEnum):
    """Language of the output."""

    en = "en"
    ja = "ja"


CardArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CARD",
        help="`standard`, `simple` or a YAML file; by default the workspace's card.yaml, else `standard`.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this package."""
    group = typer.Typer(no_args_is_help=True, help="Rule cards: what gives how many points.")
    group.command("show")(show)
    group.command("check")(check)
    app.add_typer(group, name="rules")


def show(
    card: CardArgument = None,
    lang: Annotated[Lang, typer.Option(help="Language.")] = Lang.en,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print the file as it is, to start a card of your own.")
    ] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Show a rule card as a table.

    Example: leadlight rules show standard --lang ja
    """
    from rules import parse

    if as_yaml:
        print(parse.source(_named(card, workspace)), end="")
        return
    found = parse.resolve(_named(card, workspace))
    if as_json:
        print(json.dumps(parse.to_json(found), ensure_ascii=False))
    else:
        _print_table(found, lang)


def check(
    card: CardArgument = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = Path("workspace"),
) -> None:
    """Check a rule card, against the workspace's data where there is some; exit status 1 if something is amiss.

    Example: leadlight rules check my-card.yaml --workspace ./workspace
    """
    from rules import parse
    from rules.check import problems

    found = parse.resolve(_named(card, workspace))
    room = Workspace.at(workspace)
    data = _data(room) if room.has_tables() else {}
    told = list(problems(found, **data))
    if as_json:
        print(json.dumps(_report(found, told, compared=bool(data)), ensure_ascii=False))
    else:
        against = "the data of the workspace" if data else "itself only: the workspace holds no data"
        print(f"{found.name}: {len(found.behaviour)} behaviour and {len(found.fit)} fit rules; compared with {against}")
        for problem in told:
            print(f"- {problem}")
        print("nothing amiss" if not told else f"{len(told)} found")
    if told:
        raise typer.Exit(1)


def _named(card: str | None, workspace: Path) -> str:
    if card is not None:
        return card
    own = Workspace.at(workspace).card
    return str(own) if own.exists() else "standard"


def _data(room: Workspace) -> dict[str, Any]:
    info = room.tables_info()
    types = room.scan("activities").select("type").unique().collect()["type"].to_list()
    return {"attributes": {found.name: found.kind for found in info.attributes}, "types": set(types)}


def _report(card: "Card", told: list[str], *, compared: bool) -> dict[str, Any]:
    return {
        "card": card.name,
        "behaviour_rules": len(card.behaviour),
        "fit_rules": len(card.fit),
        "threshold": card.threshold,
        "compared_with_data": compared,
        "problems": told,
    }


def _print_table(card: "Card", lang: Lang) -> None:
    from rich.console import Console
    from rich.table import Table

    from rules.wording import WORDS, rows

    words = WORDS[lang.value]
    title = f"{getattr(card.label, lang.value)} ({words['threshold']} {card.threshold:g})"
    table = Table(title=title)
    for heading in ("", words["rule"], words["points"], words["limits"], words["when"]):
        table.add_column(heading, overflow="fold")
    for row in rows(card, lang.value):
        table.add_row(row["side"], row["rule"], row["points"], row["limits"], row["when"])
    console = Console()
    console.print(table)
    if card.about:
        console.print(card.about, style="dim")
