"""Every option of `train` says what it is for, and names what the code knows."""

from typing import get_args

import typer

from training import train_options
from training.ladder_needs import RUNGS

OPTIONS = {name: value for name, value in vars(train_options).items() if name.endswith("Option")}


def test_every_option_has_help():
    infos = [
        part for option in OPTIONS.values() for part in get_args(option) if isinstance(part, typer.models.OptionInfo)
    ]
    assert len(infos) == len(OPTIONS) > 20
    assert all(info.help for info in infos)


def test_the_rungs_are_those_of_the_ladder():
    assert tuple(rung.value for rung in train_options.Rung) == RUNGS
