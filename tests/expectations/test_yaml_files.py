"""YAML as outsiders may write it: every fault is one sentence, none a traceback, none a long wait."""

from datetime import date

import pytest
from pydantic import BaseModel, ConfigDict

from expectations.contract.errors import ConfigError
from expectations.contract.yaml_files import checked, parse_yaml, read_yaml


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    share: float = 0.0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    note: str = ""
    inner: Inner = Inner()
    rest: tuple[Inner, ...] = ()


BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 5_000, "nested more than 50 deep"),
        ("a: " + "{a: " * 5_000, "nested more than 50 deep"),
        (BOMB, "its aliases (*) stand for more than 100,000 values"),
        ("a: &a [*a]", "an alias (*) stands for itself"),
        ("a: {b: 1, b: 2}", "the key 'b' occurs twice (line 1, column 11)"),
        ("yes: 1", "the key 'yes' is read as True, put it in quotes"),
        ("1: 1", "the key '1' is read as 1, put it in quotes"),
        ("? [a]\n: 1", "is read as a list or mapping"),
        ("a: {b: 1}\nc: {<<: {d: 1}}", "<<: is not supported"),
        ("a:\n\tb: 1", "cannot start any token"),
        ("a: 2026-13-45", "'2026-13-45' cannot be read as timestamp"),
        ("a: " + "9" * 5_000, "cannot be read as int"),
        ("a: " + "9" * 30, "is larger than any number of 64 bits"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: *b", "found undefined alias 'b'"),
        ("a: 1\n---\nb: 1", "but found another document"),
        ("a: \0", "special characters are not allowed"),
        ('a: "\\ud800"', "holds half a letter (a surrogate)"),
        ("a: !!binary aGVsbG8=", "!!binary is not supported"),
        ("a: !!set {x}", "!!set is not supported"),
        ("a: !!omap [b: 1]", "!!omap is not supported"),
    ],
)
def test_a_fault_is_one_line(tmp_path, text, told):
    path = tmp_path / "some.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_yaml(path, "the file")
    assert str(raised.value).startswith(f"{path} is not valid YAML: ")
    assert told in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    with pytest.raises(ValueError, match=r"."):
        parse_yaml(text)


def test_text_that_is_none_and_files_that_are_none_are_named(tmp_path):
    path = tmp_path / "some.yaml"
    for content, told in (
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"- a\n", "must hold keys with values"),
        (b"#" * 5_000_000, "has more than 4 MB"),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=told):
            read_yaml(path, "the file")
    with pytest.raises(ConfigError, match=r"cannot read the file .*: Is a directory"):
        read_yaml(tmp_path, "the file")
    with pytest.raises(ConfigError, match="has more than 4 MB"):
        read_yaml("/dev/zero", "the file")


def test_what_is_sound_is_read(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("\ufeffa: &a {b: [1, 2.5, yes, null, text]}\nc: *a\n", encoding="utf-8")
    inner = {"b": [1, 2.5, True, None, "text"]}
    assert read_yaml(path, "the file") == {"a": inner, "c": inner}
    path.write_text("# nothing\n")
    assert read_yaml(path, "the file") == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            {"iner": 1, "rest": [{"shore": 1}]},
            [
                "f: unknown key rest.0.shore; the nearest valid name is rest.share",
                "f: unknown key iner; the nearest valid name is inner",
            ],
        ),
        ({"inner": [1]}, ["f: inner must hold keys with values, not [1]"]),
        (
            {"note": date(2020, 1, 1)},
            ["f: note is 2020-01-01, read as a date: put it in quotes"],
        ),
        ({"note": True}, ["f: note is True, read as true or false: put it in quotes"]),
        ({"note": None}, ["f: note is None: Input should be a valid string"]),
        (
            {"inner": {"share": "x"}},
            [
                "f: inner.share is 'x': Input should be a valid number, unable to parse string as a number"
            ],
        ),
    ],
)
def test_a_model_tells_every_fault_with_the_nearest_name(content, told):
    with pytest.raises(ConfigError) as raised:
        checked(Outer, content, "f")
    assert str(raised.value).splitlines() == told
