"""`leadlight score --engine pyspark`: the open leads of a workspace, scored on a cluster into the table of `score`."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from leadlight.errors import BundleMissingError, InputError
from leadlight.schema import TableName
from leadlight.vocabulary import Lang
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from features.hygiene_settings import HygieneSettings
    from leadlight.bundle import Bundle

ENGINES: Final = ("polars", "pyspark")
TABLES: Final[tuple[TableName, ...]] = ("leads", "activities", "stages", "attribute_changes")


def is_asked(engine: str, master: str | None) -> bool:
    """Tell whether an engine of the command line is a cluster.

    Raises:
        InputError: no engine that scores, or a master without a cluster.
    """
    if engine not in ENGINES:
        raise InputError.unknown_name("score: --engine", engine, ENGINES)
    if engine == "polars" and master is not None:
        raise InputError("--master is for --engine pyspark; leave it out")
    return engine == "pyspark"


@dataclass(frozen=True, slots=True)
class Job:
    """What is scored.

    Attributes:
        room: holds the tables; all workers must see its folder under its path.
        bundle: scores; None where there is none.
        settings: of hygiene; None = the tables are left as they are.
        instant: as_of, µs UTC.
        lang: of the sentences.
        scored_at: µs UTC.
    """

    room: Workspace
    bundle: "Bundle | None"
    settings: "HygieneSettings | None"
    instant: int
    lang: Lang
    scored_at: int


def score(job: Job, master: str | None) -> "pl.DataFrame":
    """Score all open leads on a cluster.

    Args:
        job: what is scored.
        master: see `features.engines.spark.SparkEngine`.

    Returns:
        What `export.table` gives of the same leads scored in one process.

    Raises:
        BundleMissingError: there is no bundle.
        EngineError: Spark gave up.
        InputError: pyspark or Java is not installed, or nothing answers at the master.
    """
    import polars as pl  # noqa: PLC0415  (the module is read by `--help`)

    from features import hygiene  # noqa: PLC0415
    from features.engines import registry  # noqa: PLC0415
    from scoring import export  # noqa: PLC0415

    if job.bundle is None:
        raise BundleMissingError(
            f"--engine pyspark scores with a bundle, and workspace `{job.room.root}` has no current one; "
            "run `leadlight train` first, or leave --engine out: the rule card answers"
        )
    engine = registry.get("pyspark", master=master)
    from features.engines.spark import spark_errors  # noqa: PLC0415  (there it is installed)
    from scoring.spark import score_tables  # noqa: PLC0415

    generation = job.room.tables_info().generation
    read = engine.read({name: job.room.whole(job.room.table_path(name, generation)) for name in TABLES})
    rows = _open_leads(job, job.bundle)
    with spark_errors():
        tables = hygiene.tables_for(job.room, job.settings, read)
        path = job.room.bundle_path(job.bundle.version)
        scored = score_tables(tables, rows, path, lang=job.lang, scored_at=job.scored_at)
        return export.arranged(pl.DataFrame(scored.toArrow()))


def _open_leads(job: Job, bundle: "Bundle") -> "pl.DataFrame":
    """Give the snapshots; no activity decides who is open, so none is read."""
    from features import hygiene, snapshots  # noqa: PLC0415
    from features import tables as tables_of  # noqa: PLC0415

    raw = tables_of.read(job.room)
    bare = replace(raw, activities=raw.activities.head(0))
    found = hygiene.tables_for(job.room, job.settings, bare)
    return snapshots.open_for(snapshots.at(found, job.instant), found, bundle.scorer.target)
