import numpy as np

from leadlight.schema import ACTIVITY_TYPES
from leadlight.simulate.contents import CONTENTS, FIRST_ACTIVITY, draw_contents


def test_contents_are_drawn_evenly_and_exist():
    kind = np.repeat(np.arange(len(ACTIVITY_TYPES)), 3_000)
    position = draw_contents(kind, np.random.default_rng(1))
    for code, name in enumerate(ACTIVITY_TYPES):
        size = len(CONTENTS.get(name, ("",)))
        counts = np.bincount(position[kind == code], minlength=size)
        assert len(counts) == size
        assert (np.abs(counts - 3_000 / size) < 5 * np.sqrt(3_000 / size)).all()


def test_names_are_known(market):
    channels = next(trait.values for trait in market.person_traits if trait.name == "acquisition_channel")
    assert set(FIRST_ACTIVITY) < set(channels)
    assert set(FIRST_ACTIVITY.values()) | set(CONTENTS) <= set(ACTIVITY_TYPES)
