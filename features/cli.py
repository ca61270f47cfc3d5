"""`leadlight features`: propose a catalog of features from the data, and read one."""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features import build_cli, hygiene_cli
from leadlight.command_line import JsonOption, WorkspaceOption
from leadlight.errors import BundleMissingError, InputError
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from features.catalog import CatalogSettings
    from leadlight.spec import FeatureSpec

CURRENT = "current"


def register(app: typer.Typer) -> None:
    """Add the verbs of this package."""
    group = typer.Typer(no_args_is_help=True, help="Features: what is measured of a lead before an instant.")
    group.command("suggest")(suggest)
    group.command("show")(show)
    build_cli.register(group)
    hygiene_cli.register(group)
    app.add_typer(group, name="features")


def suggest(
    *,
    before: Annotated[
        str | None,
        typer.Option(
            help="Nothing at or after this date or instant is read; give the cut of a training.",
            show_default="the end of the record",
        ),
    ] = None,
    most: Annotated[
        int | None, typer.Option(min=1, help="Room of the catalog.", show_default="64, or what the settings say")
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="YAML file that adjusts the suggestion.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write.", show_default="stdout")] = None,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Propose a catalog of features from the data of the workspace, as a file to edit and to train with.

    Example: leadlight features suggest --before 2026-03-01 --most 40 --out catalog.yaml
    """
    from features import catalog
    from leadlight.workspace import write_text_atomically

    if out is not None and out.exists():
        raise InputError(f"{out} exists already; choose another --out or remove it")
    chosen = catalog.CatalogSettings() if settings is None else catalog.load_settings(settings)
    if most is not None:
        chosen = chosen.model_copy(update={"most_features": most})
    found = _suggested(Workspace.at(workspace), chosen, before)
    text = catalog.dump(found.specs)
    if out is not None:
        write_text_atomically(out, text)
    if as_json:
        print(json.dumps(_answer(found, out), ensure_ascii=False))
    else:
        print(text if out is None else _line(found, out), end="")


def show(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A catalog, or settings of a suggestion; by default what `suggest` proposes.", show_default=False
        ),
    ] = None,
    *,
    bundle: Annotated[
        str | None, typer.Option(help=f"Instead: the features of a bundle, by its version or `{CURRENT}`.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a page with all families and measures too.")
    ] = False,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Explain every feature of a catalog: meaning, unit, window, and what a lead without anything gets.

    Example: leadlight features show catalog.yaml
    """
    from features import describe

    if file is not None and bundle is not None:
        raise InputError("give FILE or --bundle, not both")
    title, specs, warnings = _chosen(Workspace.at(workspace), file, bundle)
    if as_json:
        answer = {"catalog": title, "features": describe.rows(specs), "warnings": warnings}
        print(json.dumps(answer, ensure_ascii=False))
    elif markdown:
        from features.page import page

        print(page(specs, title), end="")
    else:
        _print_table(title, specs)


@dataclass(frozen=True, slots=True)
class _Suggestion:
    """A catalog, what in it does not fit the data, before which instant (µs UTC) its data lay, and that in words."""

    specs: "tuple[FeatureSpec, ...]"
    warnings: list[str]
    before: int
    source: str

    def families(self) -> dict[str, int]:
        """Count the features by family."""
        return dict(Counter(spec.family for spec in self.specs))


def _suggested(room: Workspace, settings: "CatalogSettings", before: str | None = None) -> _Suggestion:
    from features import catalog, tables
    from leadlight.instants import iso, parse

    info = room.tables_info()
    instant = info.observed_until if before is None else parse(before, "--before")
    found = tables.read(room)
    source = f"what was known before {iso(instant)}" if info.clock == "time" else "what is known, without a clock"
    _say(f"reading {source}")
    specs = catalog.suggest(found, info, instant, settings)
    warnings = catalog.check(specs, found)
    for warning in warnings:
        _say(f"note: {warning}")
    return _Suggestion(specs, warnings, instant, source)


def _answer(found: _Suggestion, out: Path | None) -> dict[str, object]:
    from leadlight.instants import iso

    return {
        "before": iso(found.before),
        "features": len(found.specs),
        "families": found.families(),
        "warnings": found.warnings,
        "out": None if out is None else str(out),
        "specs": [spec.to_json() for spec in found.specs],
    }


def _line(found: _Suggestion, out: Path) -> str:
    told = ", ".join(f"{count} {family}" for family, count in found.families().items())
    return f"{len(found.specs)} features from {found.source} ({told}) -> {out}\n"


def _chosen(room: Workspace, file: Path | None, bundle: str | None) -> "tuple[str, tuple[FeatureSpec, ...], list[str]]":
    """Give a title, the specifications, and what in them does not fit the workspace's data."""
    from features import catalog

    if bundle is not None:
        version = _version(room, bundle)
        return f"Bundle {version}", _of_bundle(room, version), []
    settings = catalog.CatalogSettings() if file is None else catalog.load_settings(file)
    title = "Suggested catalog" if file is None else file.name
    if settings.only is not None and not room.has_tables():
        return title, settings.only, []
    found = _suggested(room, settings)
    return title, found.specs, found.warnings


def _version(room: Workspace, bundle: str) -> str:
    if bundle == CURRENT:
        return room.current_version()
    if bundle not in room.bundle_versions():
        raise BundleMissingError(f"bundle `{bundle}` is not in `{room.bundles}`; see `leadlight models list`")
    return bundle


def _of_bundle(room: Workspace, version: str) -> "tuple[FeatureSpec, ...]":
    from leadlight.bundle import load, signing_key

    scorer = load(room.bundle_path(version), signing_key()).scorer
    if not scorer.specs:
        _say(f"note: bundle `{version}` scores by {scorer.kind} and has no features of its own")
    return scorer.specs


def _print_table(title: str, specs: "tuple[FeatureSpec, ...]") -> None:
    from rich.console import Console
    from rich.table import Table

    from features import describe

    table = Table(title=f"{title}: {len(specs)} features")
    for heading in ("name", "meaning", "unit", "window", "null"):
        table.add_column(heading, overflow="fold")
    for row in describe.rows(specs):
        table.add_row(row["name"], row["meaning"], row["unit"], row["window"], row["null"])
    Console().print(table)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
