"""Rungs of the ladder against each other on the same rows, and the one-standard-error rule."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.clustered import mean_by_lead
from training.ladder_needs import RungName, Seen

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Origin:
    """An instant of validation, with what was known at it and predicted from it on, or a fold of leads.

    Attributes:
        at: µs UTC; None for a fold.
        wins: leads with a success that were learnt from: known at the instant, or outside the fold.
        rows: snapshots predicted.
        tested_wins: leads with a success among them.
        log_loss: of each rung that was fitted there.
    """

    at: int | None
    wins: int
    rows: int
    tested_wins: int
    log_loss: dict[RungName, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A rung in the table: mean log loss, and the difference to the chosen rung on the rows that both predicted.

    Attributes:
        rung: its name.
        log_loss: on all rows that it predicted.
        standard_error: of the log loss, by lead; None with fewer than two leads.
        difference: log loss minus that of the chosen rung, on the rows that both predicted; None where there is none.
        difference_error: standard error of the difference, paired by lead.
        wins: leads with a success that it learnt from, at each origin where it was fitted.
    """

    rung: RungName
    log_loss: float
    standard_error: float | None
    difference: float | None
    difference_error: float | None
    wins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """Log losses of all predicted rows: rung -> shape (n,), NaN where the rung was not fitted at the row's origin."""

    loss: dict[RungName, Floats]
    weight: Floats
    lead: NDArray[np.int64]
    origin: NDArray[np.int64]
    origins: tuple[Origin, ...]

    def difference(self, one: RungName, other: RungName, rows: Flags | None = None) -> tuple[float, float] | None:
        """Give the mean of loss(one) - loss(other) and its standard error by lead; None without two common leads."""
        found = self.loss[one] - self.loss[other]
        both = ~np.isnan(found) if rows is None else ~np.isnan(found) & rows
        return mean_by_lead(found[both], self.weight[both], self.lead[both])

    def choice(self) -> RungName:
        """Give the simplest rung that no higher one beats by more than one standard error of their difference.

        Where all rungs were fitted at the same origins this is the rung within one standard error of the best; where a
        high one was fitted at few, it cannot excuse a low one that another has beaten elsewhere. The recalibrated rules
        are the prior already, moved as far as outcomes carry: they give way to it only where they are worse by more
        than a standard error. With few successes to be tested on, luck chose the prior now and then, and a prior may be
        far off.
        """
        names = list(self.loss)
        return next(name for at, name in enumerate(names) if not any(self._beats(o, name) for o in names[at + 1 :]))

    def _beats(self, one: RungName, other: RungName) -> bool:
        found = self.difference(one, other)
        errors = -1.0 if (one, other) == ("rules", "prior") else 1.0
        return found is not None and -found[0] > errors * found[1]

    def table(self, chosen: RungName) -> tuple[Line, ...]:
        """Give a line per rung."""
        lines = []
        for name, loss in self.loss.items():
            fitted = ~np.isnan(loss)
            own = mean_by_lead(loss[fitted], self.weight[fitted], self.lead[fitted])
            paired = None if name == chosen else self.difference(name, chosen)
            mean = float(np.average(loss[fitted], weights=self.weight[fitted]))
            wins = tuple(origin.wins for origin in self.origins if name in origin.log_loss)
            error = None if own is None else own[1]
            difference, of_difference = (None, None) if paired is None else paired
            lines.append(Line(name, mean, error, difference, of_difference, wins))
        return tuple(lines)

    def seen(self, chosen: RungName, above: RungName | None) -> tuple[Seen, ...]:
        """Give how the next rung compared at each origin: what extrapolation starts from."""
        if above is None or above not in self.loss:
            return ()
        found = [
            (origin.wins, self.difference(above, chosen, self.origin == number))
            for number, origin in enumerate(self.origins)
        ]
        return tuple(Seen(wins, *paired) for wins, paired in found if paired is not None)
