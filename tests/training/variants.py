"""Bundles made from the one that was trained: the same scorer by another name, a worse one, one with a leak."""

from dataclasses import replace

from leadlight import bundle as bundles

LEAK = {"column": "later", "verdict": "leak", "resolved": False, "sentence": "it is filled after the outcome"}


def saved(room, model, version, *, audit=(), training=None, metrics=None, **scorer):
    """Write a variant of a trained bundle beside it: `audit` None = never audited, `scorer` changes the scorer."""
    bundle = model.bundle
    told = {**bundle.training, "audit": None if audit is None else list(audit), **(training or {})}
    found = replace(
        bundle,
        version=version,
        scorer=replace(bundle.scorer, **scorer),
        training=told,
        metrics=bundle.metrics if metrics is None else metrics,
    )
    bundles.save(found, room.bundle_path(version), bundles.signing_key())
    return found


def worse(room, model, version, **changes):
    """Write a bundle that ranks leads the wrong way round."""
    return saved(room, model, version, slope=-model.bundle.scorer.slope, **changes)


def rules(room, model, version, **changes):
    """Write a bundle in which the rules answer."""
    return saved(room, model, version, kind="rules", specs=(), booster=None, expected_value=0.0, **changes)
