"""The horizon of a training that was asked for none: that of the bundle that serves, where it predicts the same target.

Dwell times before the cut move with the cut. A training that took its horizon from them anew would answer another
question than what serves, and could not be compared with it.
"""

from dataclasses import replace

from leadlight import durations
from leadlight.errors import BundleError
from leadlight.workspace import Workspace
from scoring import chosen
from training.options import Options


def keep(workspace: Workspace, options: Options) -> tuple[Options, str | None]:
    """Take the horizon of what serves where none was asked for; give the options and a line that says so, or None.

    Where what serves cannot be trusted, the default holds, and the line says that.
    """
    if options.horizon_us is not None or workspace.tables_info().clock == "order":
        return options, None
    if not (workspace.bundles / "current").exists():
        return options, None
    try:
        bundle = chosen.load(workspace)
    except BundleError as problem:
        return options, f"horizon: the default, as that of what serves cannot be read: {problem}"
    scorer = bundle.scorer
    if scorer.target != options.target or scorer.horizon_us is None:
        return options, None
    told = f"horizon {durations.write(scorer.horizon_us)}, as of the serving `{bundle.version}`"
    return replace(options, horizon_us=scorer.horizon_us, horizon_of=bundle.version), f"{told}; --horizon sets another"
