import pandas as pd
import pytest

from features import batch
from features.tables import Tables
from leadlight.errors import InputError
from leadlight.schema import DAY
from tests.features import market
from tests.features.test_batch import snapshots_of


def frames(**replaced):
    tables = market.tables(*market.crowd(31))
    read = {name: getattr(tables, name).collect().to_pandas() for name in ("leads", "activities", "stages", "changes")}
    for name, column in replaced.items():
        read["activities"][name] = column
    return Tables(**read)


def built(tables):
    asked = snapshots_of([("p001", market.BASE + 4 * DAY)])
    return batch.build(tables, asked, [spec for spec in market.SPECS if spec.name == "count"])


def test_frames_of_pandas_are_computed_as_they_are():
    assert built(frames()).height == 1


def test_times_of_another_zone_mean_the_same_instants():
    micros = frames().activities["occurred_at"]
    tokyo = pd.to_datetime(micros, unit="us", utc=True).dt.tz_convert("Asia/Tokyo")
    assert built(frames(occurred_at=tokyo)).equals(built(frames()))


@pytest.mark.parametrize("naive", [True, False])
def test_times_without_a_zone_or_of_mixed_zones_are_refused(naive):
    aware = pd.to_datetime(frames().activities["occurred_at"], unit="us", utc=True)
    if naive:
        times = aware.dt.tz_localize(None)
    else:
        zones = ["UTC", "Asia/Tokyo"]
        mixed = [at.tz_convert(zones[number % 2]) for number, at in enumerate(aware)]
        times = pd.Series(mixed, dtype=object)
    with pytest.raises(InputError, match=r"activities\.occurred_at holds times without a zone or of mixed zones"):
        built(frames(occurred_at=times))


def test_a_column_of_the_wrong_type_is_named():
    with pytest.raises(InputError, match=r"activities\.value cannot be read as number"):
        built(frames(value="many"))
