"""A secret is not shown, copied, stored or compared with text, and its keys are gone after use."""

import copy
import json
import pickle

import pytest

from ivr.vault import Secret


def test_a_secret_shows_nothing_of_itself() -> None:
    assert repr(Secret(bytearray(b"4111"))) == "Secret(***)"
    assert repr([Secret(bytearray(b"4111"))]) == "[Secret(***)]"


@pytest.mark.parametrize(
    "misuse",
    [
        str,
        lambda secret: f"{secret}",
        lambda secret: "%s" % secret,  # noqa: UP031
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        bytes,
        list,
        hash,
        lambda secret: secret == "4111",
        lambda secret: secret == b"4111",
        lambda secret: secret != "4111",
        lambda secret: secret in ["4111"],
    ],
)
def test_a_secret_refuses_to_become_anything_else(misuse) -> None:
    with pytest.raises(TypeError) as refusal:
        misuse(Secret(bytearray(b"4111")))
    assert "4111" not in str(refusal.value)


def test_equal_secrets_are_equal() -> None:
    assert Secret(bytearray(b"4111")) == Secret(bytearray(b"4111"))
    assert Secret(bytearray(b"4111")) != Secret(bytearray(b"4112"))


def test_leaving_the_block_wipes_the_givers_own_buffer() -> None:
    keys = bytearray(b"4111")
    with Secret(keys) as secret:
        assert secret.buffer is keys
    assert keys == bytes(4)


def test_an_error_in_the_block_wipes_too() -> None:
    keys = bytearray(b"4111")
    with pytest.raises(RuntimeError), Secret(keys):
        raise RuntimeError
    assert keys == bytes(4)


def test_a_buffer_that_somebody_looks_at_is_wiped_all_the_same() -> None:
    keys = bytearray(b"4111")
    with memoryview(keys) as view:
        Secret(keys).wipe()
        assert bytes(view) == bytes(4)
