"""A seeded B2B market whose true probabilities are known. Importing it does no work."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadlight.simulate.truth import true_probability

__all__ = ["true_probability"]


def __getattr__(name: str) -> Any:
    """Give `true_probability` at its first use, so that importing the package stays free."""
    if name != "true_probability":
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    from leadlight.simulate.truth import true_probability  # noqa: PLC0415

    return true_probability
