"""What `leadlight features build` can be asked for, as options of a command line."""

from pathlib import Path
from typing import Annotated

import typer

from features.engines import memory

EngineOption = Annotated[str, typer.Option(help="polars, duckdb, pandas or pyspark.")]
CatalogOption = Annotated[
    Path | None,
    typer.Option(help="A catalog, or settings of a suggestion.", show_default="what `features suggest` proposes"),
]
BeforeOption = Annotated[
    str | None,
    typer.Option(
        help="The suggestion reads nothing at or after this date or instant.", show_default="the end of the record"
    ),
]
AgesOption = Annotated[
    str | None,
    typer.Option(help="Snapshots at these ages of a lead.", show_default="1h,1d,3d,7d,14d,30d,60d,90d,180d,365d"),
]
OnActivityOption = Annotated[
    bool, typer.Option("--on-activity", help="Instead: one snapshot a day on which a lead was active.")
]
AsOfOption = Annotated[
    str | None, typer.Option(help="Instead: every lead at this date or instant, or at `end` of the record.")
]
StartOption = Annotated[str | None, typer.Option("--from", help="No snapshot before this date or instant.")]
UntilOption = Annotated[
    str | None,
    typer.Option(help="No snapshot at or after this date or instant.", show_default="the end of the record"),
]
OutOption = Annotated[
    Path | None, typer.Option(help="Folder of the table.", show_default="features/default in the workspace")
]
MemoryLimitOption = Annotated[
    str | None, typer.Option(help="Of duckdb, such as 4GB; beyond it spills to disk.", callback=memory.checked)
]
MasterOption = Annotated[
    str | None, typer.Option(help="Of pyspark, such as spark://HOST:7077.", show_default="local[*]")
]
HygieneOption = Annotated[
    bool, typer.Option("--hygiene/--no-hygiene", help="Set duplicates, scanners and the like aside first.")
]
IncrementalOption = Annotated[
    bool, typer.Option("--incremental", help="Compute again only companies with something new since the table.")
]
