"""How much memory an engine may take, as people write it: a positive number and a unit that DuckDB knows."""

import re
from typing import Final

from leadlight.errors import InputError

# No more digits than what DuckDB can count: 2**64 bytes. K, M, G and T are powers of 1000, those with an i of 1024.
_SIZE: Final = re.compile(
    r"(?=[0-9.]*[1-9])([0-9]{1,6}(\.[0-9]{1,6})? ?T|[0-9]{1,9}(\.[0-9]{1,6})? ?[KMG])(I?B)?",
    re.ASCII | re.IGNORECASE,
)


def checked(limit: str | None) -> str | None:
    """Give a memory limit as it is, None where there is none.

    Raises:
        InputError: it is no size.
    """
    if limit is not None and _SIZE.fullmatch(limit) is None:
        raise InputError(f"memory limit `{limit}` is no size; give a positive number and a unit, such as 4GB or 512MiB")
    return limit
