"""The audit of a workspace, from options as people write them."""

from collections.abc import Callable
from typing import get_args

from features import hygiene as of_tables
from features import hygiene_settings
from features import tables as tables_of
from leadlight import durations
from leadlight.errors import InputError
from leadlight.schema import Target
from leadlight.workspace import Workspace
from rules import parse
from training import kept_horizon
from training.audit import Audit, audit
from training.options import Options, make_split, parse_cut


def audit_workspace(
    workspace: Workspace,
    *,
    target: str,
    test_from: str,
    horizon: str | None = None,
    seed: int = 0,
    hygiene: bool = True,
    say: Callable[[str], None] | None = None,
) -> Audit:
    """Audit a workspace's tables as a training with these options would.

    Args:
        workspace: with ingested tables.
        target: stage to be predicted.
        test_from: the cut, as people write it.
        horizon: as people write it; None = that of what serves, else the default.
        seed: of what is drawn.
        hygiene: whether duplicates, scanners and the like are set aside first.
        say: is told where the horizon of what serves is kept, or cannot be read; None = nobody is.

    Raises:
        InputError: an option that means nothing.
        NotEnoughDataError: there are no leads.
        WorkspaceError: nothing was ingested.
    """
    info = workspace.tables_info()
    options = Options(
        target=_target(target),
        test_from=parse_cut(test_from),
        card=parse.builtin("standard"),
        horizon_us=None if horizon is None else durations.parse(horizon, "--horizon"),
        seed=seed,
    )
    options, told = kept_horizon.keep(workspace, options)
    if told is not None and say is not None:
        say(told)
    tables = tables_of.read(workspace)
    if hygiene:
        tables = of_tables.of_workspace(workspace, hygiene_settings.of_workspace(workspace)).tables
    split = make_split(tables, info, options)
    return audit(tables, info, split, seed)


def _target(text: str) -> Target:
    for target in get_args(Target):
        if text == target:
            found: Target = target
            return found
    raise InputError.unknown_name("--target", text, get_args(Target))
