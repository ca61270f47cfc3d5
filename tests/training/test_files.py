"""A file is replaced when the new one is whole, and stays as it was otherwise."""

import pytest

from training.files import file_atomically


def test_a_whole_file_takes_the_name(tmp_path):
    path = tmp_path / "new" / "a.bin"
    with file_atomically(path) as temporary:
        temporary.write_bytes(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def interrupted():
        with file_atomically(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
