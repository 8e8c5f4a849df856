"""Files that are whole or absent, and one run at a time."""

import errno
import filecmp
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shuzi.core.command import Problem

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)  # what drives that have none answer

# what systems and drives leave beside people's files
LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "#recycle", "$recycle.bin", "icon\r"}


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name was left by a system or drive, or is hidden: not anybody's picture."""
    return name.startswith((".", "~$")) or name.lower() in LITTER


@contextmanager
def naming(path: str | Path, part: str | Path | None = None) -> Iterator[None]:
    """OSErrors of writing to an open file do not say which, and those of `part` name what nobody knows: name `path`."""
    try:
        yield
    except OSError as error:
        if error.filename in (None, part and str(part)):
            error.filename = str(path)
        raise


@contextmanager
def replacing(path: str | Path, part: str | Path | None = None, keep_same: bool = False) -> Iterator[Path]:
    """Gives a path to write to; what is written takes the place of `path` at the end, but not after an error.

    part: the path to write to, on the same disk (default: beside `path`, named `<name>.<process>.part`).
    keep_same: a file that has the same content already stays as it is.
    """
    path = Path(path)
    part = Path(part) if part else path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with naming(path, part):
            yield part
        if keep_same and path.exists() and filecmp.cmp(part, path, shallow=False):
            part.unlink()
            return
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # a power cut must not leave the new name with old or no content
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


@contextmanager
def run_lock(path: str | Path, what: str) -> Iterator[None]:
    """Holds the file `path` locked; raises Problem where another process holds it already.

    The system frees the lock with its process, however that ends: a killed run locks nobody out. On a drive without
    locks (some NFS and SMB mounts) the run goes on without one, after a note on stderr.
    """
    while True:
        handle = open(path, "a")  # noqa: SIM115  the lock lives as long as it is open
        try:
            if fcntl:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except (BlockingIOError, PermissionError):
            handle.close()
            raise Problem(f"another run is writing {what}; wait for it, or choose another --out") from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                handle.close()
                raise
            print(f"{what}: on a drive without locks; let no two runs write there at once", file=sys.stderr)
            break
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle.fileno()), os.stat(path)):
                break
        handle.close()  # the run before removed the file between open and lock: this lock means nothing
    try:
        yield
    finally:
        if not fcntl:
            handle.close()  # Windows removes no open file
        with suppress(OSError):
            os.unlink(path)
        handle.close()
