"""What `leadlight train` can be asked for, and `leadlight audit` of the same training, as options of a command line."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class TargetName(StrEnum):
    """The stage to be predicted."""

    sql = "sql"
    opportunity = "opportunity"
    customer = "customer"


class Rung(StrEnum):
    """A rung of the ladder."""

    prior = "prior"
    rules = "rules"
    scorecard = "scorecard"
    model = "model"


TargetOption = Annotated[TargetName, typer.Option(help="The stage to be predicted.")]
TestFromOption = Annotated[
    str,
    typer.Option(
        "--test-from",
        help="The cut: a date or instant (UTC), or a share of the leads in order of creation. What is known at it "
        "is learnt from, what comes after it is tested on.",
    ),
]
HorizonOption = Annotated[
    str | None,
    typer.Option(
        help="Within which time, such as 60d.", show_default="that of what serves, else from dwell times before the cut"
    ),
]
UntilOption = Annotated[
    str | None, typer.Option(help="Nothing at or after it is read.", show_default="the end of the record")
]
AgesOption = Annotated[
    str | None,
    typer.Option(
        help="Ages of test snapshots: 1d,7d,14d.",
        show_default="1d,3d,7d,14d,30d,60d, and of 90d,180d,365d those that the record shows",
    ),
]
CardOption = Annotated[
    str | None,
    typer.Option(
        help="Rule card: a YAML file, `standard` or `simple`.",
        show_default="the workspace's card.yaml, else standard",
    ),
]
TrialsOption = Annotated[int, typer.Option(min=1, help="Recipes that tuning tries.")]
SecondsOption = Annotated[
    float | None, typer.Option(min=0, help="No new trial begins after so long.", show_default="no limit")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of everything that draws.")]
ReferenceOption = Annotated[
    float | None,
    typer.Option(help="Probability that scores 50.", show_default="sql 0.30, opportunity 0.15, customer 0.03"),
]
FeaturesOption = Annotated[Path | None, typer.Option(help="YAML file that adjusts the features.")]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(help="Attribute or type that the audit suspects, to use all the same; may be repeated."),
]
BecauseOption = Annotated[list[str] | None, typer.Option(help="Why the --allow before it is right.")]
RungOption = Annotated[
    Rung | None, typer.Option(help="Rung of the ladder.", show_default="the one that the outcomes carry")
]
SegmentOption = Annotated[
    str | None, typer.Option(help="Attribute, such as a team, whose small groups borrow from the whole.")
]
IsotonicOption = Annotated[
    bool, typer.Option("--isotonic", help="Let calibration add steps, as a contribution of its own.")
]
MonotoneOption = Annotated[
    list[str] | None,
    typer.Option(
        help="FEATURE=+1: in a model's trees more of it never lowers a score; =-1: never raises one. Rule points are "
        "added and may go the other way. May be repeated."
    ),
]
PriceOption = Annotated[
    float | None,
    typer.Option(min=0, help="Of explaining: nats per depth x trees; 0 = none.", show_default="a ten-millionth"),
]
StudiesOption = Annotated[
    str | None,
    typer.Option(
        help="URL of the database that keeps tuning's trials; several machines may share it.",
        show_default="LEADLIGHT_STUDIES, else studies.db in the workspace",
    ),
]
HygieneOption = Annotated[
    bool,
    typer.Option(
        "--hygiene/--no-hygiene", help="Set duplicates, scanners and the like aside first; scoring does as well."
    ),
]
TrackOption = Annotated[bool, typer.Option("--track/--no-track", help="Write the run into the workspace's MLflow.")]
