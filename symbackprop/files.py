"""Files that are either the old text or the new one, never half of it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from pathlib import Path

from .core.terms import SymbackpropError

SUFFIX = ".symbackprop.tmp"
STALE_SECONDS = 3600.0


def write_atomically(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Replaces `path` by `data` (text as UTF-8, newlines as given) in one step, or leaves it as it was.

    The data goes to a temporary file in the same directory, reaches the disk, and is then renamed, so that a reader, a
    crash or a full disk never shows a torn file.  Temporary files that a killed run left behind are removed once they
    are an hour old (a younger one may belong to a run that is still writing).

    Raises SymbackpropError naming the file and the cause.
    """
    target = Path(os.path.realpath(path))  # a link stays a link: what it points at is replaced
    content = data.encode() if isinstance(data, str) else data
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        if target.exists() and not target.is_file():
            target.write_bytes(content)  # a device or a pipe cannot be replaced, only written to
            return
        _sweep(target)
        temporary = target.with_name(f".{target.name[:80]}.{secrets.token_hex(6)}{SUFFIX}")
        try:
            _write_through(temporary, content, _mode(target))
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_directory(target.parent)
    except OSError as failure:
        raise SymbackpropError(f"cannot write {os.fspath(path)}: {_cause(failure, target)}") from failure


def put(text: str, path: str | os.PathLike[str] | None) -> None:
    """Printed, or written where there is a file to write to."""
    if path is None:
        print(text.rstrip("\n"))
    else:
        write_atomically(path, text)


def _write_through(temporary: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or what an ordinary new file gets."""
    try:
        return target.stat().st_mode & 0o777
    except FileNotFoundError:
        return 0o666


def _sync_directory(directory: Path) -> None:
    """Makes the rename itself durable; systems that cannot open a directory go without."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sweep(target: Path) -> None:
    """Removes stale temporary files of earlier, killed writes of the same file."""
    oldest = time.time() - STALE_SECONDS
    prefix = f".{target.name[:80]}."
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            ours = entry.name.startswith(prefix) and entry.name.endswith(SUFFIX)
            if ours and entry.stat(follow_symlinks=False).st_mtime < oldest:
                os.unlink(entry.path)


def _cause(failure: OSError, target: Path) -> str:
    match failure.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return "no space left on the disk"
        case errno.ENOENT | errno.ENOTDIR:
            return f"the directory {target.parent} does not exist"
        case errno.EACCES | errno.EPERM:
            return "permission denied"
        case errno.EROFS:
            return "the file system is read-only"
        case _:
            return failure.strerror or str(failure)
