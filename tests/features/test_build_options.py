"""Every option of `features build` says what it is for."""

from typing import get_args

import typer

from features import build_options

OPTIONS = {name: value for name, value in vars(build_options).items() if name.endswith("Option")}


def test_every_option_has_help():
    parts = [part for option in OPTIONS.values() for part in get_args(option)]
    infos = [part for part in parts if isinstance(part, typer.models.OptionInfo)]
    assert len(infos) == len(OPTIONS) > 10
    assert all(info.help for info in infos)
