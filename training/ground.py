"""What a training stands on: clean tables, split, audit, rule card, catalog, and rows before and after the cut."""

from dataclasses import dataclass
from typing import Any

from features import catalog, hygiene, hygiene_settings
from features import tables as tables_of
from features.hygiene_settings import HygieneSettings
from features.tables import Tables
from leadlight.spec import FeatureSpec
from leadlight.workspace import TablesInfo, Workspace
from rules.parse import Card
from training import asked
from training.audit import Audit, audit
from training.audit_card import LeftOut, reduced
from training.audit_gate import gated, without_types
from training.options import Options, make_split
from training.rows import Rows, gather
from training.split import Split, test_rows, training_rows


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything before the first fit.

    Attributes:
        info: of the tables; attributes that the audit leaves out are of unknown time.
        tables: Polars frames, clean, nothing from `split.until` on.
        split: the instants.
        audit: what was found of columns, types and order.
        card: the rule card that was asked for, without the rules that read what leaks.
        left_out: what was taken from it.
        specs: the catalog.
        known: training rows.
        test: test rows.
        hygiene: how the tables were cleaned, and what was set aside; None where not at all.
    """

    info: TablesInfo
    tables: Tables
    split: Split
    audit: Audit
    card: Card
    left_out: tuple[LeftOut, ...]
    specs: tuple[FeatureSpec, ...]
    known: Rows
    test: Rows
    hygiene: dict[str, Any] | None


def prepare(workspace: Workspace, options: Options) -> Ground:
    """Clean, split, audit, suggest a catalog, and compute the rows.

    Raises:
        InputError: a cut outside the record, an age that means nothing, an attribute that cannot be allowed, a feature
            or segment that does not exist.
        NotEnoughDataError: there is no lead before the cut.
    """
    clean_by = hygiene_settings.of_workspace(workspace) if options.hygiene else None
    cleaned = _cleaned(workspace, clean_by)
    raw = workspace.tables_info()
    split = make_split(cleaned.tables, raw, options)
    cleaned = cleaned.before(split.until)
    tables = cleaned.tables
    found = audit(tables, raw, split, options.seed)
    info = gated(raw, found, options.allow)
    card, left_out = reduced(options.card, found, options.allow)
    specs = without_types(catalog.suggest(tables, info, split.cut, options.features), found, options.allow)
    asked.check(options, specs, found)
    return Ground(
        info=info,
        tables=tables,
        split=split,
        audit=found,
        card=card,
        left_out=left_out,
        specs=specs,
        known=gather(tables, training_rows(tables, split), specs, card),
        test=gather(tables, test_rows(tables, split), specs, card),
        hygiene=_hygiene(cleaned, clean_by),
    )


def _cleaned(workspace: Workspace, clean_by: HygieneSettings | None) -> hygiene.Cleaned:
    if clean_by is None:
        return hygiene.as_they_are(tables_of.read(workspace))
    return hygiene.of_workspace(workspace, clean_by)


def _hygiene(cleaned: hygiene.Cleaned, clean_by: HygieneSettings | None) -> dict[str, Any] | None:
    """Tell how the tables were cleaned, which a scorer has to repeat, and what was set aside; None where not at all."""
    if clean_by is None:
        return None
    return {"settings": clean_by.to_json(), "set_aside": hygiene.by_cause(cleaned.counts())}
