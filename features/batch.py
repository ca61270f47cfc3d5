"""Feature specifications over whole tables: one definition for Polars, DuckDB, pandas and PySpark.

The expressions are Narwhals (`features.expressions`); what an engine has to do itself is in `features.engines`. Every
column of a result is float64 with null for null; categories are codes.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from features import check
from features.chunks import Chunk, split
from features.engines import registry
from features.engines.base import Engine
from features.expressions import assemble
from features.expressions.frame import ROW, Frame
from features.tables import Tables
from leadlight.spec import FeatureSpec

_AT_ONCE: Final = 2


def build(tables: Tables, snapshots: pl.DataFrame, specs: Sequence[FeatureSpec]) -> pl.DataFrame:
    """Compute features for snapshots, on the engine to which the tables belong.

    Args:
        tables: the tables; only what lies strictly before each as_of is used.
        snapshots: columns lead_id and as_of (int64 µs); other columns are ignored.
        specs: what to compute; names are unique.

    Returns:
        lead_id, as_of and one float64 column per spec, null = null, in the order of `snapshots`.

    Raises:
        InputError: frames of an unknown kind, or an attribute of leads whose name or type none can have.
    """
    engine = registry.of(tables)
    check.attributes(tables.leads, (spec.attribute for spec in specs))
    if engine.name == "polars":
        parts = [
            engine.to_polars(_of_chunk(engine, chunk, specs)).drop(ROW).with_columns(chunk.rows["position"])
            for chunk in split(tables, snapshots, specs)
        ]
        return named(pl.concat(parts).sort("position").drop("position"), specs)
    return named(engine.to_polars(compute(engine, tables, snapshots, specs)).drop(ROW), specs)


def _of_chunk(engine: Engine, chunk: Chunk, specs: Sequence[FeatureSpec]) -> Frame:
    """Compute features of a chunk, with the leads' own ids; snapshots are in the order of the chunk."""
    computed = compute(engine, chunk.tables, chunk.rows, specs).to_native()
    frame: Frame = nw.from_native(computed.lazy().with_columns(chunk.rows["id"].alias("lead_id")))
    return frame


def build_to(
    engine: Engine,
    tables: Tables,
    snapshots: pl.DataFrame,
    specs: Sequence[FeatureSpec],
    folder: Path,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Compute features into Parquet part files: lead_id, as_of (timestamp[us, UTC]) and one double per specification.

    Args:
        engine: the engine; Polars works through the log in chunks of whole companies.
        tables: its native frames.
        snapshots: lead_id, as_of (int64 µs).
        specs: what to compute.
        folder: an existing empty folder. What is in it after an error is of no use.
        progress: called with the number of activities of each finished part.

    Raises:
        InputError: an attribute of leads whose name or type none can have.
    """
    check.attributes(tables.leads, (spec.attribute for spec in specs))
    names = {column(place): spec.name for place, spec in enumerate(specs)}
    if engine.name != "polars":
        engine.write(compute(engine, tables, snapshots, specs), folder / "part-00000.parquet", names)
        return

    def finished(number: int, chunk: Chunk) -> int:
        engine.write(_of_chunk(engine, chunk, specs), folder / f"part-{number:05}.parquet", names)
        return chunk.activities

    # Two chunks at a time: one plans and gathers while the other keeps the cores busy.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running: deque[Future[int]] = deque()
        for number, chunk in enumerate(split(tables, snapshots, specs)):
            running.append(pool.submit(finished, number, chunk))
            if len(running) > _AT_ONCE:
                progress(running.popleft().result())
        for part in running:
            progress(part.result())


def compute(engine: Engine, tables: Tables, snapshots: pl.DataFrame, specs: Sequence[FeatureSpec]) -> Frame:
    """Compute features with one engine.

    Args:
        engine: the engine.
        tables: its native frames.
        snapshots: lead_id, as_of; other columns are ignored.
        specs: what to compute.

    Returns:
        ROW (the number of the snapshot, from 0 on), lead_id, as_of and one column per spec, named by `column`; lazy
        where the engine is.
    """
    specs = [replace(spec, name=column(place)) for place, spec in enumerate(specs)]
    rows = snapshots.select("lead_id", "as_of").with_row_index(ROW).cast({ROW: pl.Int64})
    records, asked = engine.records(tables), engine.rows(rows)
    own = [spec for spec in specs if spec.facts.source == "activities"]
    parts: list[Frame] = []
    if own:
        met = engine.meet(asked, records.activities, own)
        parts += assemble.of_activities(met, own)
    parts += assemble.of_records(asked, records, specs, engine)
    return engine.together(asked, parts, specs)


def column(place: int) -> str:
    """Name the column of a specification inside an engine: names of features hold dots and more."""
    return f"f{place}"


def named(frame: pl.DataFrame, specs: Sequence[FeatureSpec]) -> pl.DataFrame:
    """Give the columns of a result the names of their features."""
    return frame.rename({column(place): spec.name for place, spec in enumerate(specs)})


def matrix(frame: pl.DataFrame, specs: Sequence[FeatureSpec]) -> NDArray[np.float64]:
    """Give the features as an array of shape (rows, len(specs)), NaN = null, columns in the order of `specs`."""
    if not specs:
        return np.empty((frame.height, 0))
    return frame.select(pl.col(spec.name).fill_null(float("nan")) for spec in specs).to_numpy(order="fortran")


def columns(frame: pl.DataFrame, specs: Sequence[FeatureSpec]) -> dict[str, NDArray[np.float64]]:
    """Give the features as one array per name, NaN = null."""
    return {spec.name: frame[spec.name].fill_null(float("nan")).to_numpy() for spec in specs}
