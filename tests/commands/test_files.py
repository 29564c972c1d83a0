"""Whole files or none: `write_atomically` against full disks, missing directories and killed runs."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from symbackprop import files
from symbackprop.core.terms import SymbackpropError
from symbackprop.files import write_atomically


@pytest.mark.parametrize(
    ("data", "stored"), [("δ\n", "δ\n".encode()), (b"\x00\xff", b"\x00\xff"), ("", b""), ("a\r\n", b"a\r\n")]
)
def test_writes_text_and_bytes(tmp_path: Path, data: str | bytes, stored: bytes) -> None:
    target = tmp_path / "out"
    write_atomically(target, data)
    assert target.read_bytes() == stored
    write_atomically(str(target), b"second")
    assert target.read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["out"]


def test_keeps_permissions_and_links(tmp_path: Path) -> None:
    target, link = tmp_path / "real", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink() and target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


FAILURES = [
    ("write", errno.ENOSPC, "no space left on the disk"),
    ("fsync", errno.ENOSPC, "no space left on the disk"),
    ("fsync", errno.EDQUOT, "no space left on the disk"),
    ("replace", errno.EACCES, "permission denied"),
    ("open", errno.EROFS, "the file system is read-only"),
    ("open", errno.EACCES, "permission denied"),
]


@pytest.mark.parametrize(("step", "code", "cause"), FAILURES)
def test_a_failure_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int, cause: str
) -> None:
    target = tmp_path / "out.tex"
    target.write_text("old")

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(files.os, "fdopen", lambda descriptor, mode: _FullDisk(descriptor))
        else:
            patch.setattr(files.os, step, fail)
        with pytest.raises(SymbackpropError) as error:
            write_atomically(target, "new")
    assert str(error.value) == f"cannot write {target}: {cause}"
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.tex"]


class _FullDisk:
    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __enter__(self) -> _FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def write(self, _: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(tmp_path / "out", "new")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_is_written_to_not_replaced() -> None:
    with pytest.raises(SymbackpropError, match=r"cannot write /dev/full: no space left on the disk"):
        write_atomically("/dev/full", "x")
    write_atomically(os.devnull, "x")
    assert not os.path.isfile(os.devnull)


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SymbackpropError, match="does not exist"):
        write_atomically(tmp_path / "missing" / "out", "x")
    with pytest.raises(SymbackpropError, match="is a directory"):
        write_atomically(tmp_path, "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(SymbackpropError, match="does not exist"):
        write_atomically(tmp_path / "file" / "out", "x")


def test_sweeps_its_own_stale_files_only(tmp_path: Path) -> None:
    suffix = files.SUFFIX
    stale, young, foreign, other = (
        tmp_path / name for name in (f".out.aaaa{suffix}", f".out.bbbb{suffix}", ".out.swp", f".other.aaaa{suffix}")
    )
    for path in (stale, young, foreign, other):
        path.write_text("")
    old = time.time() - 2 * files.STALE_SECONDS
    for path in (stale, foreign, other):
        os.utime(path, (old, old))
    write_atomically(tmp_path / "out", "x")
    assert sorted(os.listdir(tmp_path)) == sorted([young.name, foreign.name, other.name, "out"])
