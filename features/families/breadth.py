"""Breadth: how many different kinds of activity. Unit: types; 0 when none."""

from leadlight.spec import FeatureSpec


def suggest(windows_days: tuple[float, ...]) -> list[FeatureSpec]:
    """Propose the number of types ever and in the longest window."""
    longest = windows_days[-1]
    return [
        FeatureSpec("breadth", "breadth", "distinct_types"),
        FeatureSpec(f"breadth_{longest:g}d", "breadth", "distinct_types", window_days=longest),
    ]
