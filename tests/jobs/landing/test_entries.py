"""What lies in a landing folder is read only if it is what it seems: no link, pipe, device or folder."""

import os
import socket
from pathlib import Path

import pytest

from jobs.landing import copies, entries
from jobs.landing.copies import copies_folder, copy_landed, cut_copy, drop_copies
from jobs.landing.entries import (
    NotReadable,
    NotThere,
    folder_entries,
    open_landed,
    read_landed,
    resolved_root,
    shown,
)

NAME = "part-0.csv"


@pytest.fixture
def root(tmp_path):
    """A landing root with one batch of one file."""
    batch = tmp_path / "landing" / "person" / "batch=2024-01-31"
    batch.mkdir(parents=True)
    (batch / NAME).write_text("psn_no\nm1\n")
    (tmp_path / "secret.csv").write_text("psn_no\nsecret\n")
    return tmp_path / "landing"


def landed(root, name=NAME):
    return f"{root}/person/batch=2024-01-31/{name}"


def test_a_plain_file_is_read(root):
    assert read_landed(landed(root), 100) == b"psn_no\nm1\n"


def test_a_file_with_two_names_is_a_plain_file(root):
    os.link(root.parent / "secret.csv", landed(root, "part-1.csv"))
    assert read_landed(landed(root, "part-1.csv"), 100) == b"psn_no\nsecret\n"


def test_the_root_itself_may_be_a_link(root):
    (root.parent / "link").symlink_to(root)
    resolved = resolved_root(f"{root.parent}/link/")
    assert resolved == str(root)
    assert read_landed(landed(resolved), 100) == b"psn_no\nm1\n"
    assert resolved_root("s3a://bucket/landing/") == "s3a://bucket/landing"


def linked_file(root, target):
    (root / "person" / "batch=2024-01-31" / NAME).unlink()
    (root / "person" / "batch=2024-01-31" / NAME).symlink_to(target)


def linked_batch(root, _):
    (root / "person").rename(root / "else")
    (root / "person").mkdir()
    (root / "person" / "batch=2024-01-31").symlink_to(root / "else" / "batch=2024-01-31")


def linked_table(root, _):
    (root / "person").rename(root.parent / "person")
    (root / "person").symlink_to(root.parent / "person")


@pytest.mark.parametrize("link", [linked_file, linked_batch, linked_table])
def test_a_link_at_any_level_below_the_root_is_refused(root, link):
    link(root, root.parent / "secret.csv")
    with pytest.raises(NotReadable, match="is a link, which is never followed"):
        open_landed(landed(root))


@pytest.mark.parametrize("target", ["other.csv", "/nowhere"])
def test_a_link_to_a_neighbour_or_to_nothing_is_refused_too(root, target):
    (root / "person" / "batch=2024-01-31" / "other.csv").touch()
    linked_file(root, target)
    with pytest.raises(NotReadable, match="is a link, which is never followed"):
        open_landed(landed(root))


def test_a_pipe_is_refused_without_waiting_for_its_writer(root):
    os.mkfifo(landed(root, "part-1.csv"))
    with pytest.raises(NotReadable, match="is a device, pipe or socket, not a file"):
        open_landed(landed(root, "part-1.csv"))


def test_a_socket_is_refused(root, monkeypatch):
    monkeypatch.chdir(root / "person" / "batch=2024-01-31")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("part-1.csv")
    with pytest.raises(NotReadable, match="is a device, pipe or socket, not a file"):
        open_landed(landed(root, "part-1.csv"))


@pytest.mark.parametrize(
    ("name", "fault", "told"),
    [
        ("part-1.csv", NotThere, "is not there"),
        ("part-2.csv", NotReadable, "is a folder, not a file"),
        (f"part-{'x' * 300}.csv", NotReadable, "can't be read: File name too long"),
    ],
)
def test_what_is_no_file_is_told(root, name, fault, told):
    (root / "person" / "batch=2024-01-31" / "part-2.csv").mkdir()
    with pytest.raises(fault, match=told):
        open_landed(landed(root, name))


def test_a_file_beyond_the_limit_is_not_read(root):
    with pytest.raises(NotReadable, match="is larger than 0 MiB"):
        read_landed(landed(root), 9)


def test_entries_are_listed_with_their_kinds(root):
    batch = root / "person" / "batch=2024-01-31"
    (batch / "link").symlink_to("/")
    (batch / "folder").mkdir()
    os.mkfifo(batch / "pipe")
    assert folder_entries(str(batch), 2) == {
        "folder": "folder",
        "link": "link",
        NAME: "file",
        "pipe": "device, pipe or socket",
    }
    assert folder_entries(f"{root}/doctor", 1) == {}
    with pytest.raises(NotReadable, match="is a file, not a folder"):
        folder_entries(landed(root), 3)


def test_a_copy_holds_what_the_file_held_when_it_was_taken(root, tmp_path):
    copy = copy_landed(landed(root), f"{tmp_path}/lake/_landing/run", 100)
    assert copy == f"{tmp_path}/lake/_landing/run/person/batch=2024-01-31/{NAME}"
    with Path(landed(root)).open("r+b") as original:
        original.write(b"changed")
    assert Path(copy).read_bytes() == b"psn_no\nm1\n"
    assert Path(copy).stat().st_mode & 0o077 == 0
    drop_copies(f"{tmp_path}/lake", "another run")
    assert not (tmp_path / "lake" / "_landing").exists()


def test_a_file_larger_than_the_limit_is_not_copied_on(root, tmp_path):
    with pytest.raises(NotReadable, match=r"is larger than landing\.max_file_gib"):
        copy_landed(landed(root), f"{tmp_path}/copies", 9)


def test_object_storage_is_reached_by_address(root, tmp_path, monkeypatch):
    for module in (entries, copies):
        monkeypatch.setattr(module, "is_local", lambda path: False)
    address, lake = f"file://{landed(root)}", f"file://{tmp_path}/lake"
    # Object storage needs no folders to be made.
    (tmp_path / "lake/_landing/run/person/batch=2024-01-31").mkdir(parents=True)
    copy = copy_landed(address, copies_folder(lake, "run"), 100)
    cut_copy(copy, 6)
    assert read_landed(copy, 100) == b"psn_no"
    assert folder_entries(address.rpartition("/")[0], 2) == {NAME: "file"}
    with pytest.raises(NotThere):
        open_landed(f"{address}.gz")
    (tmp_path / "lake/_landing/another run").mkdir()
    drop_copies(lake, "run")
    assert [each.name for each in (tmp_path / "lake/_landing").iterdir()] == ["another run"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("part-0.csv", "part-0.csv"),
        ("part 0.csv", "'part 0.csv'"),
        ("p\u0430rt\n\u202e\ud800", r"'p\u0430rt\n\u202e\ud800'"),
        ("x" * 1000, "x" * 120 + "..."),
    ],
)
def test_names_from_outside_are_shown_without_tricks(name, told):
    assert shown(name) == told
