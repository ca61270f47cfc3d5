"""Momentum: is activity rising. Unit: doublings of (count + 1) against the window before; 0 when both are equal."""

from leadlight.spec import FeatureSpec


def suggest(windows_days: tuple[float, ...]) -> list[FeatureSpec]:
    """Propose one momentum per window over all types."""
    return [
        FeatureSpec(f"momentum_{window:g}d", "momentum", "momentum", window_days=window) for window in windows_days[:-1]
    ]
