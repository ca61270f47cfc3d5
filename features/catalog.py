"""The catalog: the feature specifications of a data set, derived from it and adjustable by a YAML file.

A catalog file is a list of specifications (`leadlight features suggest --out catalog.yaml`); a settings file is a
mapping that adjusts the suggestion. Both are read by `load_settings`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields
from io import StringIO
from pathlib import Path
from typing import Any, Final, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, PrivateAttr, RootModel, create_model, model_validator

from features.families import (
    age,
    breadth,
    company,
    decay,
    fit,
    frequency,
    momentum,
    recency,
    rhythm,
    sequence,
    stage,
    touches,
)
from features.profile import Profile, profile
from features.ranking import keep
from features.tables import Tables
from leadlight.documents import Document, Loc
from leadlight.errors import InputError, NotEnoughDataError, SpecError, did_you_mean
from leadlight.instants import iso
from leadlight.schema import TABLES
from leadlight.spec import FeatureSpec, refuse_single
from leadlight.workspace import TablesInfo

WINDOWS_DAYS: Final = (1.0, 7.0, 30.0, 90.0)
HALF_LIVES_DAYS: Final = (3.0, 14.0, 45.0)
SHORTEST_WINDOW: Final = 1.0
LONGEST_WINDOW: Final = 365.0
_FIRST: Final = 500_000  # so many activities nearly always hold every type; only else all are read


class CatalogSettings(BaseModel):
    """What a `features.yaml` may adjust; every key is optional.

    Attributes:
        most_features: room of the catalog; `features.ranking` says who gets it. Attributes are kept in any case.
        windows_days: 1 to 365 days, ascending.
        half_lives_days: of decayed counts.
        within_days: how soon an answer, or the second of a pair of types, must come.
        most_types: how many types may have features of their own.
        last_types: how many of the last types.
        utc_offset_hours: local time ahead of UTC, for hours, weekdays and calendar days.
        drop: names of proposals that are not wanted; others take their room.
        add: specifications that come on top.
        only: the whole catalog; then nothing is derived from the data and all other keys mean nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    most_features: int = Field(default=64, ge=1)
    windows_days: tuple[float, ...] = Field(default=WINDOWS_DAYS, min_length=2)
    half_lives_days: tuple[float, ...] = Field(default=HALF_LIVES_DAYS, min_length=1)
    within_days: float = Field(default=7.0, gt=0, le=LONGEST_WINDOW, allow_inf_nan=False)
    most_types: int = Field(default=20, ge=0)
    last_types: int = Field(default=3, ge=0)
    utc_offset_hours: float = Field(default=0.0, ge=-14, le=14)
    drop: tuple[str, ...] = ()
    add: tuple[dict[str, object], ...] = ()
    only: tuple[InstanceOf[FeatureSpec], ...] | None = None
    _document: Document | None = PrivateAttr(default=None)

    def written_in(self, document: Document) -> Self:
        """Remember the file, to locate what turns out to be wrong only with the data at hand."""
        self._document = document
        return self

    def problem(self, loc: Loc, message: str) -> InputError:
        """Build the error of a setting, located in its file if there is one."""
        return SpecError(message) if self._document is None else self._document.problem(loc, message)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        wrong = [window for window in self.windows_days if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW]
        if wrong:
            raise ValueError(f"windows_days holds {wrong[0]:g}, must be 1 to 365")
        if list(self.windows_days) != sorted(set(self.windows_days)):
            raise ValueError(f"windows_days == {[*map(float, self.windows_days)]}, must ascend")
        return self


def suggest(
    tables: Tables, info: TablesInfo, before: int, settings: CatalogSettings | None = None
) -> tuple[FeatureSpec, ...]:
    """Derive a catalog from what the data held before an instant (the cut of a time split).

    Raises:
        NotEnoughDataError: nothing usable was known before that instant.
        SpecError: the settings name a feature or an attribute that does not exist, or add one without meaning.
    """
    chosen = settings or CatalogSettings()
    specs = chosen.only
    if specs is None:
        seen = profile(tables, info, before)
        if not seen.leads:
            raise NotEnoughDataError(f"no lead was created before {iso(before)}; nothing to learn from")
        specs = from_profile(seen, chosen)
    _check_attributes(specs, _attributes(tables))
    return specs


def from_profile(seen: Profile, settings: CatalogSettings) -> tuple[FeatureSpec, ...]:
    """Derive a catalog from a profile: what the families propose, as much as there is room for."""
    proposals = _proposals(seen, settings)
    names = {spec.name for spec in proposals}
    for place, name in enumerate(settings.drop):
        if name not in names:
            unknown = SpecError.unknown_name("`drop`: feature", name, names)
            raise settings.problem(("drop", place), str(unknown))
    wanted = [spec for spec in proposals if spec.name not in settings.drop]
    specs = keep(wanted, seen, settings.most_features)
    for place, added in enumerate(settings.add):
        try:
            specs.append(_with_name(FeatureSpec.from_json(dict(added))))
        except SpecError as wrong:
            raise settings.problem(("add", place), str(wrong)) from wrong
    if not specs:
        raise NotEnoughDataError("no activity and no attribute known at creation before the cut; nothing to learn from")
    _refuse_twice(specs)
    return tuple(specs)


def _proposals(seen: Profile, settings: CatalogSettings) -> list[FeatureSpec]:
    windows, most, offset = settings.windows_days, settings.most_types, settings.utc_offset_hours
    proposals = [*age.suggest(seen, offset), *stage.suggest(seen), *fit.suggest(seen, offset)]
    proposals += fit.suggest_signals(seen)
    if seen.types:
        proposals += frequency.suggest(seen, windows, most, offset)
        proposals += recency.suggest(seen, most)
        proposals += momentum.suggest(seen, windows)
        proposals += decay.suggest(seen, settings.half_lives_days, most)
        proposals += rhythm.suggest(seen, windows, offset)
        proposals += breadth.suggest(seen, windows)
        proposals += sequence.suggest(seen, settings.last_types, settings.within_days)
        proposals += touches.suggest(seen, windows, settings.within_days, offset)
    proposals += company.suggest(seen, windows)
    return proposals


def _with_name(spec: FeatureSpec) -> FeatureSpec:
    """Refuse a feature of a catalog without a name; rule cards have such specifications."""
    if not spec.name.strip():
        raise SpecError(f"a feature of measure `{spec.measure}` has a blank `name`; give it one")
    return spec


def _refuse_twice(specs: Iterable[FeatureSpec]) -> None:
    seen: set[str] = set()
    for spec in specs:
        if spec.name in seen:
            raise SpecError(f"feature `{spec.name}` is defined twice; rename one of the two")
        seen.add(spec.name)


def check(specs: Sequence[FeatureSpec], tables: Tables) -> list[str]:
    """Compare a catalog with the data it is meant for.

    Returns:
        One line for every activity type, channel and actor that a specification names and no activity has.

    Raises:
        SpecError: a specification names an attribute that `leads` does not have.
    """
    _check_attributes(specs, _attributes(tables))
    named = _named(specs)
    known: dict[str, set[str]] = {column: set() for column in named}
    for log in (tables.activities.head(_FIRST), tables.activities):
        if not all(set(names) <= known[column] for column, names in named.items()):
            kinds = log.select(list(named)).unique().collect(engine="streaming")
            known = {column: set(kinds[column].drop_nulls()) for column in named}
    what = {"type": "activity type", "channel": "channel", "actor": "actor"}
    return [
        f"feature `{spec.name}`: {what[column]} `{name}` never occurs in the data{did_you_mean(name, known[column])}"
        for spec in specs
        for column, names in _named([spec]).items()
        for name in names
        if name not in known[column]
    ]


def _named(specs: Sequence[FeatureSpec]) -> dict[str, list[str]]:
    """Give the types, channels and actors that specifications name, each once and in order."""
    named: dict[str, list[str]] = {"type": [], "channel": [], "actor": []}
    for spec in specs:
        named["type"] += [*spec.types, *spec.then_types]
        named["channel"] += [] if spec.channel is None else [spec.channel]
        named["actor"] += [actor for actor in (spec.actor, spec.then_actor) if actor is not None]
    return {column: list(dict.fromkeys(found)) for column, found in named.items()}


def _attributes(tables: Tables) -> frozenset[str]:
    return frozenset(tables.leads.collect_schema().names()) - set(TABLES["leads"])


def _check_attributes(specs: Sequence[FeatureSpec], known: Collection[str]) -> None:
    for spec in specs:
        if spec.attribute is not None and spec.attribute not in known:
            raise SpecError.unknown_name(f"feature `{spec.name}`: attribute", spec.attribute, known)


def load_settings(path: Path) -> CatalogSettings:
    """Read a `features.yaml`: adjustments of the suggestion, or a catalog, which then is the whole of it.

    Raises:
        SpecError: located at the line that is wrong.
    """
    document = Document.read(path, SpecError)
    if isinstance(document.data, list):
        return CatalogSettings(only=_specs(document))
    if not isinstance(document.data, dict):
        what = "the file is empty" if document.data is None else "this is neither a list nor a mapping"
        raise document.problem((), f"{what}; write a list of features, or settings such as `drop: [recency]`")
    return document.validate(CatalogSettings).written_in(document)


def load(path: Path) -> tuple[FeatureSpec, ...]:
    """Read a catalog file: a YAML list of specifications, each a mapping of the fields of `FeatureSpec`.

    Raises:
        SpecError: located at the line that is wrong.
    """
    document = Document.read(path, SpecError)
    if not isinstance(document.data, list):
        raise document.problem((), "a catalog is a list of features, each with `name`, `family` and `measure`")
    return _specs(document)


def dump(specs: Sequence[FeatureSpec]) -> str:
    """Write a catalog file; `load` gives the same specifications."""
    from ruamel.yaml import YAML  # noqa: PLC0415  (see `leadlight.documents`)

    yaml, text = YAML(), StringIO()
    yaml.width = 120
    yaml.default_flow_style = None
    yaml.dump([spec.to_json() for spec in specs], text)
    return text.getvalue()


def _specs(document: Document) -> tuple[FeatureSpec, ...]:
    for position, entry in enumerate(document.data):
        if isinstance(entry, dict):
            with _located(document, position):
                refuse_single(entry)
    checked: Any = document.validate(_catalog_model())
    specs: list[FeatureSpec] = []
    lines: dict[str, int | None] = {}
    for position, entry in enumerate(checked.root):
        with _located(document, position):
            spec = _with_name(FeatureSpec(**entry.model_dump()))
        if spec.name in lines:
            first = lines[spec.name]
            raise document.problem((position,), f"feature `{spec.name}` is defined twice, first in line {first}")
        lines[spec.name] = document.line((position,))
        specs.append(spec)
    if not specs:
        raise document.problem((), "the catalog is empty; name at least one feature")
    return tuple(specs)


@contextmanager
def _located(document: Document, position: int) -> Iterator[None]:
    """Locate what is wrong with a feature at its line."""
    try:
        yield
    except SpecError as wrong:
        raise document.problem((position,), str(wrong)) from wrong


def _catalog_model() -> type[BaseModel]:
    """Give a model that checks keys and types of a catalog file; `FeatureSpec` itself checks what they mean."""
    types = {**get_type_hints(FeatureSpec), "family": str, "measure": str}  # it knows the nearest one
    columns: dict[str, Any] = {
        f.name: (types[f.name], ... if f.default is MISSING else f.default) for f in fields(FeatureSpec)
    }
    entry = create_model("Feature", __config__=ConfigDict(extra="forbid"), **columns)
    return RootModel[tuple[entry, ...]]  # type: ignore[valid-type]
