"""Whether a Parquet file looks whole, from its first 4 and last 8 bytes: cheap enough to ask before every scan.

    PAR1 | columns ... | footer | length of the footer, 4 bytes little-endian | PAR1

https://parquet.apache.org/docs/file-format/. A file that was cut short, or whose end never reached the disk, is found
so; one that rotted in the middle is not.
"""

import os
from pathlib import Path
from typing import Final

MAGIC: Final = b"PAR1"
_LENGTH_BYTES: Final = 4
_TAIL: Final = _LENGTH_BYTES + len(MAGIC)


def damage(path: Path) -> str | None:
    """Say what is wrong with a file as the end of a sentence about it, None where it looks whole.

    Args:
        path: of a file that is there.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            head = file.read(len(MAGIC))
            file.seek(max(size - _TAIL, 0))
            tail = file.read(_TAIL)
    except OSError as refused:
        return f"cannot be read ({refused.strerror})"
    if head != MAGIC:
        return f"is damaged ({size} bytes that do not begin as a Parquet file)"
    footer = int.from_bytes(tail[:_LENGTH_BYTES], "little")
    if tail[_LENGTH_BYTES:] != MAGIC or len(MAGIC) + footer + _TAIL > size:
        return f"is cut short (its end is missing after {size} bytes)"
    return None
