"""Scores on a cluster: feature frames in, scores out, computed by the workers from the signed bundle.

The files of a bundle travel as a broadcast variable: they are no secret, and their signature is checked where they
arrive. The key that checks it never travels. Every worker finds it as every process does (`bundle.signing_key`): in its
environment or in the 0600 file of its user; see docs/spark.md. Each Python worker verifies and reads a bundle once.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from leadlight import bundle as bundles
from leadlight.bundle import Bundle
from leadlight.errors import SpecError
from leadlight.vocabulary import Lang
from scoring.columns import Columns, Floats
from scoring.export import COLUMNS, TEXTS
from scoring.numbers import SCORES, Numbers
from scoring.score import LeadScorer

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from features.tables import Tables

_INTEGERS: Final = frozenset({"engagement_level", "feature_as_of", "scored_at"})
_KEYS: Final = ("lead_id", "as_of")


@dataclass(frozen=True, slots=True)
class Shipped:
    """The files of a bundle on their way to the workers, not yet trusted.

    Attributes:
        version: name of the bundle's folder.
        files: name and content of every file.
    """

    version: str
    files: tuple[tuple[str, bytes], ...]


def score_frame(features: "DataFrame", bundle_path: Path) -> "DataFrame":
    """Score features on the cluster: the numbers only, as `batch.score_snapshots` gives them.

    Args:
        features: lead_id, as_of (µs) and the columns of `needed(bundle)` by the names of its specifications.
        bundle_path: a bundle's folder; verified here, and again by every worker.

    Returns:
        lead_id, as_of and `numbers.SCORES`; lazy.

    Raises:
        BundleError: the bundle cannot be used.
        SpecError: a feature is missing.
    """
    found = bundles.load(bundle_path, bundles.signing_key())
    fields = ", ".join(f"{name} double" for name in SCORES)
    return _mapped(
        features, bundle_path, Numbers(found.scorer).columns, _numbers, f"lead_id string, as_of long, {fields}"
    )


def answer_frame(
    features: "DataFrame", bundle_path: Path, *, lang: Lang = "en", scored_at: int | None = None
) -> "DataFrame":
    """Score features on the cluster with reasons: the flat fields of `LeadScore`, instants in µs.

    Args:
        features: as for `score_frame`, with the columns of `needed(bundle, reasons=True)`.
        bundle_path: as for `score_frame`.
        lang: of the sentences.
        scored_at: µs UTC; None = now.

    Raises:
        BundleError: the bundle cannot be used.
        SpecError: a feature is missing.
    """
    found = bundles.load(bundle_path, bundles.signing_key())
    now = time.time_ns() // 1_000 if scored_at is None else scored_at
    schema = ", ".join(f"{name} {_kind(name)}" for name in COLUMNS)
    return _mapped(features, bundle_path, LeadScorer(found).columns, partial(_answers, lang=lang, now=now), schema)


def needed(bundle: Bundle, *, reasons: bool = False) -> Columns:
    """Name the features that a score needs; for reasons also those that the model does not read."""
    return LeadScorer(bundle).columns if reasons else Numbers(bundle.scorer).columns


def score_tables(tables: "Tables", rows: "pl.DataFrame", bundle_path: Path, **reasons: Any) -> "DataFrame":
    """Compute features and score them, all on the cluster.

    Args:
        tables: PySpark frames (`features.engines.spark`).
        rows: lead_id and as_of (µs).
        bundle_path: a bundle's folder.
        reasons: the keyword arguments of `answer_frame`; with none, `score_frame`.
    """
    from features import batch  # noqa: PLC0415  (workers import this module and have no need of it)
    from features.engines import registry  # noqa: PLC0415
    from features.expressions.frame import ROW  # noqa: PLC0415

    found = bundles.load(bundle_path, bundles.signing_key())
    specs = needed(found, reasons=bool(reasons)).specs
    computed = batch.compute(registry.of(tables), tables, rows, specs).to_native().drop(ROW)
    features = computed.toDF(*_KEYS, *(spec.name for spec in specs))
    return answer_frame(features, bundle_path, **reasons) if reasons else score_frame(features, bundle_path)


def _kind(name: str) -> str:
    if name in TEXTS:
        return "string"
    return "long" if name in _INTEGERS else "boolean" if name == "degraded" else "double"


def _mapped(
    features: "DataFrame",
    folder: Path,
    columns: Columns,
    scored: Callable[["pa.RecordBatch", Shipped], "pa.RecordBatch"],
    schema: str,
) -> "DataFrame":
    """Apply a function of Arrow batches; the features are put into the order of the columns first."""
    from features.engines.spark import without_pandas_warning  # noqa: PLC0415  (workers have no need of it)

    names = [spec.name for spec in columns.specs]
    for name in (*_KEYS, *names):
        if name not in features.columns:
            raise SpecError.unknown_name("the feature frame: column", name, features.columns)
    ordered = features.select(*(features[_quoted(name)] for name in (*_KEYS, *names)))
    shipped = features.sparkSession.sparkContext.broadcast(_shipped(folder))
    with without_pandas_warning():
        return ordered.mapInArrow(partial(_each, scored=scored, shipped=shipped), schema)


def _quoted(name: str) -> str:
    """Quote a name for Spark, which reads a dot as a path.

    >>> _quoted("fit.a `b`")
    '`fit.a ``b```'
    """
    return "`" + name.replace("`", "``") + "`"


def _shipped(folder: Path) -> Shipped:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    names = ("manifest.json", "manifest.sig", *manifest["files"])
    return Shipped(folder.name, tuple((name, (folder / Path(name).name).read_bytes()) for name in names))


# From here on: what runs on a worker.


def _each(
    batches: Iterator["pa.RecordBatch"],
    scored: Callable[["pa.RecordBatch", Shipped], "pa.RecordBatch"],
    shipped: Any,
) -> Iterator["pa.RecordBatch"]:
    for batch in batches:
        yield scored(batch, shipped.value)


@lru_cache(maxsize=2)
def _bundle(shipped: Shipped) -> Bundle:
    """Verify and read a bundle, once per process."""
    with tempfile.TemporaryDirectory(prefix="leadlight-bundle-") as scratch:
        folder = Path(scratch) / shipped.version
        folder.mkdir()
        for name, content in shipped.files:
            (folder / Path(name).name).write_bytes(content)
        return bundles.load(folder, bundles.signing_key())


@lru_cache(maxsize=2)
def _numbers_of(shipped: Shipped) -> Numbers:
    return Numbers(_bundle(shipped).scorer)


@lru_cache(maxsize=2)
def _scorer_of(shipped: Shipped) -> LeadScorer:
    return LeadScorer(_bundle(shipped))


def _matrix(batch: "pa.RecordBatch") -> Floats:
    """Give the features of a batch: shape (rows, columns after the keys), NaN = null."""
    matrix = np.empty((batch.num_rows, batch.num_columns - len(_KEYS)))
    for place in range(matrix.shape[1]):
        values = batch.column(place + len(_KEYS))
        matrix[:, place] = values.to_numpy(zero_copy_only=False)  # a null becomes NaN
    return matrix


def _numbers(batch: "pa.RecordBatch", shipped: Shipped) -> "pa.RecordBatch":
    import pyarrow as pa  # noqa: PLC0415

    scores = _numbers_of(shipped).of(_matrix(batch))
    columns = [batch.column(0), batch.column(1), *(pa.array(scores[name]) for name in SCORES)]
    return pa.RecordBatch.from_arrays(columns, names=[*_KEYS, *SCORES])


def _answers(batch: "pa.RecordBatch", shipped: Shipped, *, lang: Lang, now: int) -> "pa.RecordBatch":
    import pyarrow as pa  # noqa: PLC0415

    kinds = {"string": pa.string(), "long": pa.int64(), "boolean": pa.bool_(), "double": pa.float64()}
    found = _scorer_of(shipped).answers(
        batch.column(0).to_pylist(), batch.column(1).to_pylist(), _matrix(batch), lang=lang, now=now
    )
    rows = list(found)
    columns = [pa.array([getattr(row, name) for row in rows], kinds[_kind(name)]) for name in COLUMNS]
    return pa.RecordBatch.from_arrays(columns, names=list(COLUMNS))
