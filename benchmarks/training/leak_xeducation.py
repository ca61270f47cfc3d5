"""X Education with every column given and nothing declared: does the audit find what sales filled in afterwards?

The columns are given twice, once under their names and once as `column_0`, `column_1`, ...: the verdicts must be the
same. Then a model with the usual recipe is fitted to what is left, and tested on the newest 30 % of the leads.
"""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import polars as pl
from ruamel.yaml import YAML

from benchmarks.sets import TRAIN_SHARE
from benchmarks.training.leak_sets import in_memory, undeclared
from features import catalog
from features import tables as tables_of
from features.tables import Tables
from leadlight.ingest.pipeline import ingest
from leadlight.metrics import auc
from leadlight.workspace import TablesInfo, Workspace
from rules import parse
from training import rows
from training.audit import audit
from training.audit_gate import gated
from training.fit import fit
from training.options import Options, make_split
from training.split import Split, test_rows, training_rows
from training.tune import tune

FILE: Final = "leads.csv"
ID: Final = "Prospect ID"
ORDER: Final = "Lead Number"
OUTCOME: Final = "Converted"
# What sales filled in after talking to the lead, without any doubt.
MUST_NOT: Final = ("Tags", "Lead Quality")
# Where only the evidence can tell whether that was so.
BY_EVIDENCE: Final = (
    "Lead Profile",
    "Asymmetrique Activity Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Index",
    "Asymmetrique Profile Score",
)
# Recipes tried: the usual one only, with the number of trees that folds of the training side choose.
TRIALS: Final = 1


def measure(data: Path, seed: int = 0) -> dict[str, Any]:
    """Audit the data under both sets of names, and measure a model before and after the gate."""
    raw = data / "xeducation"
    named = {column: slug(column) for column in columns(raw)}
    renamed = {column: f"column_{at}" for at, column in enumerate(named)}
    tables, info, split = read(raw, named)
    found = audit(tables, info, split, seed)
    other = audit(*read(raw, renamed), seed)
    verdicts = {column: found.finding(name).verdict for column, name in named.items()}
    others = {column: other.finding(name).verdict for column, name in renamed.items()}
    used = [column for column, verdict in verdicts.items() if verdict == "ok"]
    return {
        "xeducation_auc_before_gate": test_auc(tables, _all_declared(info), split, seed),
        "xeducation_auc_after_gate": test_auc(tables, gated(info, found), split, seed),
        "xeducation_rename_changes": sum(others[column] != verdict for column, verdict in verdicts.items()),
        "xeducation_verdicts": dict(sorted(verdicts.items(), key=lambda item: (item[1], item[0]))),
        "xeducation_verdicts_renamed": others,
        "xeducation_why": {column: found.finding(name).why for column, name in named.items()},
        "xeducation_used_but_must_not": [column for column in MUST_NOT if column in used],
        "xeducation_unresolved": [one.name for one in found.unresolved()],
    }


def slug(column: str) -> str:
    """Give a name that an attribute may have.

    >>> slug("Page Views Per Visit")
    'page_views_per_visit'
    """
    return re.sub(r"\W+", "_", column).strip("_").lower()


def columns(raw: Path) -> list[str]:
    """Give every column that could be an attribute."""
    header = pl.read_csv(raw / FILE, n_rows=0, infer_schema=False).columns
    return [name for name in header if name not in {ID, ORDER, OUTCOME}]


def mapping_of(raw: Path, names: Mapping[str, str]) -> dict[str, Any]:
    """Map every column to an attribute under a name of one's own, undeclared.

    Args:
        raw: folder of the file.
        names: column -> attribute.
    """
    attributes = {
        name: {"column": column, "kind": "number" if _numeric(raw, column) else "category"}
        for column, name in names.items()
    }
    won = {"lead_id": ID, "stage": {"constant": "customer"}}
    tables = [
        {"table": "leads", "columns": {"lead_id": ID}, "attributes": attributes},
        {"table": "stages", "where": {OUTCOME: "1"}, "columns": won},
    ]
    files = [{"file": FILE, "tables": tables}]
    return {"version": 1, "clock": f"order({ORDER})", "missing": ["Select"], "files": files}


def read(raw: Path, names: Mapping[str, str]) -> tuple[Tables, TablesInfo, Split]:
    """Ingest with every column as an attribute under a name of one's own, undeclared."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "mapping.yaml"
        YAML(typ="safe").dump(mapping_of(raw, names), path)
        room = Workspace.at(Path(scratch) / "workspace")
        ingest(path, raw, room)
        tables, info = in_memory(tables_of.read(room)), undeclared(room.tables_info())
    options = Options(target="customer", test_from=TRAIN_SHARE, card=parse.builtin("standard"))
    return tables, info, make_split(tables, info, options)


def _numeric(raw: Path, column: str) -> bool:
    values = pl.read_csv(raw / FILE, columns=[column], infer_schema=False).to_series()
    held = values.drop_nulls()
    return held.cast(pl.Float64, strict=False).null_count() == 0


def _all_declared(info: TablesInfo) -> TablesInfo:
    return replace(info, attributes=tuple(replace(one, known_at="creation") for one in info.attributes))


def test_auc(tables: Tables, info: TablesInfo, split: Split, seed: int) -> float | None:
    """Fit a booster to the attributes that may be used, and give its AUC on the newest leads."""
    specs = catalog.suggest(tables, info, split.cut)
    card = parse.builtin("standard")
    known = rows.gather(tables, training_rows(tables, split), specs, card)
    test = rows.gather(tables, test_rows(tables, split), specs, card)
    recipe = tune(known, specs, trials=TRIALS, seed=seed).recipe
    return auc(test.y, fit(known, specs, recipe, seed).raw(test))


test_auc.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name
