import sqlite3

import pytest

from leadlight.errors import InputError
from serving import keys
from serving.store.database import open_store


@pytest.fixture
def fresh(tmp_path):
    opened = open_store(tmp_path / "serve.db")
    yield opened
    opened.close()


def test_a_key_opens_until_it_is_revoked(fresh):
    info, key = keys.create(fresh, "crm")
    assert keys.is_valid(fresh, key)
    keys.revoke(fresh, info.key_id)
    assert not keys.is_valid(fresh, key)
    revoked_at = keys.listing(fresh)[0].revoked_at
    keys.revoke(fresh, info.key_id)
    assert keys.listing(fresh)[0].revoked_at == revoked_at


def test_the_database_holds_no_usable_key(fresh, tmp_path):
    info, key = keys.create(fresh, "crm")
    secret = key.split("_", 2)[2]
    assert len(secret) >= 43
    with sqlite3.connect(tmp_path / "serve.db") as database:
        dump = "\n".join(database.iterdump())
    database.close()
    assert info.key_id in dump
    assert secret not in dump
    stored = next(part for part in dump.replace("'", " ").split() if len(part) == 64)
    assert not keys.is_valid(fresh, f"ll_{info.key_id}_{stored}")


@pytest.mark.parametrize(
    "wrong", ["", "ll", "ll__", "ll_x_y", "nonsense", "\x00", "ll_\x00_x", "ll_ü_x", "ll_" + "a" * 10_000]
)
def test_what_is_no_key_opens_nothing(fresh, wrong):
    keys.create(fresh, "crm")
    assert not keys.is_valid(fresh, wrong)


def test_a_key_is_valid_only_whole(fresh):
    info, key = keys.create(fresh, "crm")
    other, _ = keys.create(fresh, "ma")
    secret = key.split("_", 2)[2]
    wrongs = (key[:-1], key + "x", f"ll_{other.key_id}_{secret}", f"xx_{info.key_id}_{secret}", f"ll_{info.key_id}_")
    assert [keys.is_valid(fresh, wrong) for wrong in wrongs] == [False] * 5


def test_labels_and_ids_are_checked(fresh):
    for label in ("", "x" * 101, "a\nb"):
        with pytest.raises(InputError, match="label"):
            keys.create(fresh, label)
    with pytest.raises(InputError, match="keys list"):
        keys.revoke(fresh, "nobody")
    assert keys.listing(fresh) == []
