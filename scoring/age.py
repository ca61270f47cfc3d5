"""Leads older than any age that a bundle learnt and tested: they are scored all the same, and that is said."""

from typing import Final

from leadlight import durations
from leadlight.bundle import Bundle
from leadlight.vocabulary import Lang

MEND: Final = "train with older ages (--ages) where the record shows leads of them"


def oldest(bundle: Bundle | None) -> int | None:
    """Give the largest age that was learnt and tested, in µs.

    None without bundle, clock or a record of it, and where no age has leads on both sides: then nothing was tested,
    which the training told. Bundles of before tell only the ages that were asked for.
    """
    if bundle is None or bundle.scorer.horizon_us is None:
        return None
    return max(bundle.training.get("ages_shown_us", bundle.training.get("ages_us")) or (), default=None)


def note(bundle: Bundle | None, age_us: int, lang: Lang) -> str | None:
    """Say of one lead of an age in µs that it is older than what was tested; None where it is not."""
    limit = oldest(bundle)
    if limit is None or age_us <= limit:
        return None
    named = durations.write(limit)
    if lang == "ja":
        return f"このリードは学習・検証した最大の経過期間({named})より古く、確率は若いリードからの推定で未検証です"
    return (
        f"this lead is older than the oldest age that was learnt and tested ({named}): it is scored as if what was "
        "learnt of younger leads held for it, which was not tested"
    )


def warning(older: int, leads: int, bundle: Bundle | None) -> str | None:
    """Say in one line how many of the scored leads are older than what was tested; None where none is."""
    limit = oldest(bundle)
    if limit is None or not older:
        return None
    return (
        f"{older:,} of {leads:,} scored leads are older than the oldest age that was learnt and tested "
        f"({durations.write(limit)}): their probabilities were not tested and may be far off; {MEND}"
    )
