"""Every error that leadlight raises on purpose, ordered by who can act on it.

LeadlightError
├── InputError (ValueError)            the user's file, option or request is wrong
│   ├── MappingError                   a mapping file (with its line)
│   ├── CardError                      a rule card (with its line)
│   ├── SpecError                      a feature specification
│   ├── RawDataError                   a raw data file cannot be read at all
│   └── UnknownLeadError (KeyError)    no such lead
├── NotEnoughDataError (ValueError)    the data cannot support what was asked
├── WorkspaceError (OSError)           a table, bundle pointer or folder is missing or damaged
├── BundleError
│   ├── BundleMissingError             no bundle where one was expected
│   ├── BundleTamperedError            signature, hash or content does not hold
│   │   └── BundleRenamedError         its folder was copied or renamed by hand
│   └── BundleUnsupportedError         written by another version of the format
├── EngineError                        an engine of features started and could not finish
├── TrackingError                      MLflow's store cannot be read or written; nothing else is lost
└── ServiceError                       the service cannot start or continue

A message is one line: what is wrong, where, and the mend. Classmethods are named for the situation and build it.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Self


class LeadlightError(Exception):
    """Root of the tree; the command line prints it as one line and exits with status 2."""

    def __str__(self) -> str:
        """Give the message without the quotes that KeyError would add."""
        return str(self.args[0]) if self.args else self.__class__.__name__


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `; did you mean `x`?` for the nearest known name, else what is known.

    >>> did_you_mean("when", ["timestamp", "whence"])
    '; did you mean `whence`?'
    """
    names = sorted(str(name) for name in known)
    near = get_close_matches(wrong, names, n=1, cutoff=0.5)
    if near:
        return f"; did you mean `{near[0]}`?"
    shown = ", ".join(f"`{name}`" for name in names[:12])
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"; known: {shown}{more}" if names else ""


class InputError(LeadlightError, ValueError):
    """The user's file, option or request is wrong."""

    @classmethod
    def in_file(cls, path: Path | str, line: int | None, problem: str) -> Self:
        """Build an error located in a file, `line` counting from 1 (None where it has no line)."""
        where = Path(path).name if line is None else f"{Path(path).name} line {line}"
        return cls(f"{where}: {problem}")

    @classmethod
    def unknown_name(cls, what: str, wrong: str, known: Iterable[str]) -> Self:
        """Build an error for a name that does not exist, with the nearest one that does."""
        return cls(f"{what} `{wrong}` does not exist{did_you_mean(wrong, known)}")


class MappingError(InputError):
    """A mapping file is wrong."""


class CardError(InputError):
    """A rule card is wrong."""


class SpecError(InputError):
    """A feature specification is wrong."""


class RawDataError(InputError):
    """A raw data file cannot be read at all (single bad rows go to quarantine instead)."""


class UnknownLeadError(InputError, KeyError):
    """No such lead."""

    @classmethod
    def no_such_lead(cls, lead_id: str) -> Self:
        """Build the error for a lead that is not in the workspace."""
        return cls(f"lead `{lead_id}` is not known; ingest it first or send it inline")


class NotEnoughDataError(LeadlightError, ValueError):
    """The data cannot support what was asked."""


class WorkspaceError(LeadlightError, OSError):
    """A table, bundle pointer or folder of the workspace is missing or damaged."""

    @classmethod
    def no_tables(cls, root: Path) -> Self:
        """Build the error for a workspace into which nothing was ingested."""
        return cls(f"workspace `{root}` holds no tables; run `leadlight ingest MAPPING.yaml --data DIR` first")


class BundleError(LeadlightError):
    """A bundle cannot be used."""


class BundleMissingError(BundleError):
    """No bundle where one was expected."""

    @classmethod
    def none_current(cls, root: Path) -> Self:
        """Build the error for a workspace in which nothing was trained."""
        return cls(f"workspace `{root}` has no current bundle; run `leadlight train` first")


class BundleTamperedError(BundleError):
    """Signature, hash or content of a bundle does not hold."""


class BundleRenamedError(BundleTamperedError):
    """A bundle lies in a folder of another name: signed and whole, but copied or renamed by hand."""


class BundleUnsupportedError(BundleError):
    """A bundle was written by another version of the format."""


class TrackingError(LeadlightError):
    """MLflow's store cannot be read or written; the bundle on disk is not concerned."""


class EngineError(LeadlightError):
    """An engine of features started and could not finish."""


class ServiceError(LeadlightError):
    """The service cannot start or continue."""
