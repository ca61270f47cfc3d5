"""Replicates of a test set by drawing leads, and the five metrics of several scorers on every replicate.

Rows of one lead depend on each other, so whole leads are drawn: replicate r gives each lead the number of times it was
drawn (multinomial, as many draws as leads), and every row of the lead gets that number as its weight. All scorers see
the same replicates, so their differences are paired.

Source: B. Efron (1979), doi:10.1214/aos/1176344552; drawing whole clusters: C. A. Field, A. H. Welsh (2007),
doi:10.1111/j.1467-9868.2007.00593.x.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError
from leadlight.metrics import equal_mass_bins, log_losses

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Counts = NDArray[np.int32]

ECE_BINS: Final = 10
TOP_SHARE: Final = 0.1
# Counts held in memory at once, in leads x replicates: few large matrix products instead of many small ones.
CHUNK_CELLS: Final = 8_000_000
# Weights of rows held at once while a ranking is measured, in rows x replicates: small enough for a processor cache.
BLOCK_CELLS: Final = 200_000


def lead_codes(lead_ids: Sequence[str] | NDArray[np.object_]) -> tuple[Codes, int]:
    """Number the leads in the order of their ids, so that the order of rows does not matter: codes (n,), and how many.

    >>> lead_codes(["b", "a", "b"])
    (array([1, 0, 1]), 2)
    """
    known, codes = np.unique(np.asarray(lead_ids, dtype=str), return_inverse=True)
    return codes, len(known)


def lead_bootstrap(n_leads: int, replicates: int, seed: int) -> Iterator[Floats]:
    """Yield how often each lead was drawn, shape (some replicates, n_leads), together `replicates` of them.

    Each line sums to n_leads; `counts[:, codes]` are the weights of the rows. The size of the parts changes no number.

    Raises:
        InputError: no lead or no replicate.
    """
    if n_leads < 1 or replicates < 1:
        raise InputError(f"bootstrap of {n_leads} leads in {replicates} replicates; both must be >= 1")
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK_CELLS // n_leads)
    for start in range(0, replicates, step):
        counts = np.empty((min(step, replicates - start), n_leads))
        for line in counts:
            line[:] = np.bincount(rng.integers(0, n_leads, size=n_leads), minlength=n_leads)
        yield counts


@dataclass(frozen=True, slots=True)
class Ranking:
    """One scorer's rows from the best score down: what AUC and lift need of them, sorted once.

    Attributes:
        leads: lead code of each row, best first, shape (n,).
        above: how many rows have a better score than row i, shape (n,).
        through: how many have a better or equal score (row i included), shape (n,).
        positive: lead code of each positive row, best first, shape (m,).
        hits_above: how many of the `above` are positive, shape (n,).
        hits_through: how many of the `through` are positive, shape (n,).
        at: positions of the positive rows, shape (m,).
    """

    leads: Codes
    above: Codes
    through: Codes
    positive: Codes
    hits_above: Codes
    hits_through: Codes
    at: Codes

    @classmethod
    def of(cls, y: Floats, s: Floats, codes: Codes) -> Self:
        """Sort the rows of a scorer; equal scores form a group with one `above` and one `through`."""
        order = np.argsort(-s, kind="stable")
        outcomes, leads = y[order] == 1, codes[order]
        starts = np.flatnonzero(np.append(True, np.diff(s[order]) != 0))
        sizes = np.diff(np.append(starts, len(s)))
        hits = np.append(0, np.cumsum(outcomes))
        above = np.repeat(starts, sizes)
        through = np.repeat(starts + sizes, sizes)
        return cls(leads, above, through, leads[outcomes], hits[above], hits[through], np.flatnonzero(outcomes))

    def measures(self, counts: Counts) -> tuple[Floats, Floats]:
        """Give AUC and top-decile lift of every replicate, shape (r,) each; NaN where a class is missing.

        Args:
            counts: how often each lead was drawn, shape (r, leads).
        """
        areas, lifts = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
        if not len(self.positive):  # of very many rows without a success nothing need be added up
            return areas, lifts
        step = max(1, BLOCK_CELLS // len(self.leads))
        for start in range(0, len(counts), step):
            block = slice(start, start + step)
            mass, hits = _running(counts[block], self.leads), _running(counts[block], self.positive)
            areas[block], lifts[block] = self._auc(mass, hits), self._lift(mass, hits)
        return areas, lifts

    def _auc(self, mass: Counts, hits: Counts) -> Floats:
        """Area under the ROC curve: a positive outranks the negatives below its group, and half of those in it."""
        positives, negatives = hits[:, -1].astype(np.float64), mass[:, -1] - hits[:, -1]
        mass_to = np.take(mass, self.above[self.at], axis=1) + np.take(mass, self.through[self.at], axis=1)
        hits_to = np.take(hits, self.hits_above[self.at], axis=1) + np.take(hits, self.hits_through[self.at], axis=1)
        outranked = negatives[:, None] - (mass_to - hits_to) / 2
        wins, pairs = np.einsum("rm,rm->r", np.diff(hits, axis=1), outranked), positives * negatives
        areas: Floats = np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
        return areas

    def _lift(self, mass: Counts, hits: Counts) -> Floats:
        """Top-decile lift, the group at the cut entering with the share of its mass that fits."""
        lifts = np.full(len(mass), np.nan)
        for replicate, (masses, found) in enumerate(zip(mass, hits, strict=True)):
            if found[-1] == 0:
                continue
            cut = TOP_SHARE * masses[-1]
            row = int(np.searchsorted(masses, cut)) - 1  # the running totals begin with a 0
            before, after = masses[self.above[row]], masses[self.through[row]]
            hits_before, hits_after = found[self.hits_above[row]], found[self.hits_through[row]]
            top = hits_before + (cut - before) / (after - before) * (hits_after - hits_before)
            lifts[replicate] = top / cut / (found[-1] / masses[-1])
        return lifts


def _running(counts: Counts, leads: Codes) -> Counts:
    """Add up the weights of rows from the first to each, beginning with 0, shape (r, rows + 1)."""
    totals = np.zeros((len(counts), len(leads) + 1), dtype=np.int32)
    np.cumsum(np.take(counts, leads, axis=1), axis=1, out=totals[:, 1:])
    return totals


def _lead_sums(y: Floats, p: Floats, codes: Codes, n_leads: int) -> Floats:
    """Sum per lead what log loss, Brier and ECE are linear in, shape (leads, 2 + ECE_BINS).

    The bins are those of the original rows, so that a replicate moves mass between bins that stay where they are.
    """
    sums = np.empty((n_leads, 2 + ECE_BINS))
    sums[:, 0] = np.bincount(codes, log_losses(y, p), minlength=n_leads)
    sums[:, 1] = np.bincount(codes, (y - p) ** 2, minlength=n_leads)
    cells = codes * ECE_BINS + equal_mass_bins(p, ECE_BINS)
    sums[:, 2:] = np.bincount(cells, y - p, minlength=n_leads * ECE_BINS).reshape(n_leads, ECE_BINS)
    return sums


def replicate_metrics(
    y: Floats,
    scores: Mapping[str, Floats],
    codes: Codes,
    n_leads: int,
    *,
    replicates: int,
    seed: int,
    done: Callable[[int], None] = lambda _: None,
) -> dict[str, dict[str, Floats]]:
    """Give each metric of each scorer on every replicate: metric -> scorer -> shape (replicates,), NaN where undefined.

    Arguments are not checked here (see `training.evaluate.compare`): y (n,) of 0 and 1, each score (n,) in [0, 1],
    codes (n,) in 0 .. n_leads - 1; `done` is told the number of each part of the replicates that is finished.

    ECE keeps the bins of the original rows and is, as every plug-in distance, larger on replicates than on the rows.
    """
    names = list(scores)
    rankings = {name: Ranking.of(y, scores[name], codes) for name in names}
    sizes = np.bincount(codes, minlength=n_leads).astype(np.float64)
    sums = np.column_stack([sizes, *(_lead_sums(y, scores[name], codes, n_leads) for name in names)])
    parts: dict[str, dict[str, list[Floats]]] = {
        metric: {name: [] for name in names} for metric in ("auc", "log_loss", "brier", "ece", "lift10")
    }
    for counts in lead_bootstrap(n_leads, replicates, seed):
        totals = counts @ sums
        means = (totals[:, 1:] / totals[:, :1]).reshape(len(counts), len(names), 2 + ECE_BINS)
        whole = counts.astype(np.int32)  # half the memory to pass over
        for k, name in enumerate(names):
            areas, lifts = rankings[name].measures(whole)
            parts["auc"][name].append(areas)
            parts["lift10"][name].append(lifts)
            parts["log_loss"][name].append(means[:, k, 0])
            parts["brier"][name].append(means[:, k, 1])
            parts["ece"][name].append(np.abs(means[:, k, 2:]).sum(axis=1))
        done(len(counts))
    return {metric: {name: np.concatenate(part) for name, part in by.items()} for metric, by in parts.items()}
