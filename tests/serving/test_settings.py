import pytest

from leadlight.errors import InputError
from serving.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_open_is_for_this_machine(host):
    assert Settings(host=host, everybody=True).everybody


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "scores.example", "127.0.0.1.example", ""])
def test_open_is_refused_where_others_can_reach(host):
    with pytest.raises(InputError, match="--open"):
        Settings(host=host, everybody=True)
    assert not Settings(host=host).everybody


@pytest.mark.parametrize("wrong", [{"port": -1}, {"port": 65_536}, {"max_body": 0}, {"max_body": 1 << 31}])
def test_what_has_no_meaning_is_refused(wrong):
    with pytest.raises(InputError, match="must be"):
        Settings(**wrong)
