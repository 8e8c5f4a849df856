"""What the scripts share about files: whole or absent, one run at a time, errors as one line for a person."""

import errno
import filecmp
import os
import re
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt


class Problem(Exception):
    """The program can't do what it was asked. The message is one line: why, and what to do."""


def run(main, resumes=False):
    """Call `main` and exit with the code it returns; Problem and OSError become one line and exit code 2.

    resumes: whether a run that is stopped leaves what the next one goes on from.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a terminal that can't show 七 shows \u4e03
    program = Path(sys.argv[0]).name
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141  # 128 + SIGPIPE, as other programs end then
    except KeyboardInterrupt:
        again = "takes it up again" if resumes else "begins anew"
        print(f"{program}: stopped; the same command {again}", file=sys.stderr)
        code = 130
    except Problem as problem:
        print(f"{program}: {problem}", file=sys.stderr)
        code = 2
    except OSError as error:
        print(f"{program}: {explain(error)}", file=sys.stderr)
        code = 2
    except ImportError as error:
        print(f"{program}: {error}; install what it needs: pip install -r requirements.txt", file=sys.stderr)
        code = 2
    except Exception:  # a fault of the program: not to be taken for 1, "done, but something was refused"
        traceback.print_exc()
        code = 70  # EX_SOFTWARE of sysexits.h
    sys.exit(code)


def explain(error):
    """An OSError as one line that says what to do."""
    where = shown(os.fsdecode(error.filename)) if error.filename is not None else "the output"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}: the disk is full; free some space and run the same command again"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where}: no permission; change it, or choose another place"
    if error.errno == errno.EROFS:
        return f"{where}: the disk is read-only; choose another place"
    if error.errno == errno.EEXIST:
        return f"{where}: a file, where a folder is needed; choose another place"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"{where}: not there, or not there any more; check the path and run the same command again"
    return f"{where}: {error.strerror or error}"


def split_names(text):
    """Names with commas between them, Chinese ones too -> a list of names."""
    return [name.strip() for name in re.split("[,，、]", text) if name.strip()]


def shown(text):
    """A name as one printable line: newlines, control and undecodable characters are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@contextmanager
def naming(path, part=None):
    """OSErrors of writing to an open file do not say which, and those of `part` name what nobody knows: name `path`."""
    try:
        yield
    except OSError as error:
        if error.filename in (None, part and str(part)):
            error.filename = str(path)
        raise


@contextmanager
def replacing(path, part=None, keep_same=False):
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
def run_lock(path, what):
    """Holds the file `path` locked; raises Problem where another process holds it already.

    The system frees the lock with its process, however that ends: a killed run locks nobody out.
    """
    while True:
        handle = open(path, "a")
        try:
            if fcntl:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except (BlockingIOError, PermissionError):
            handle.close()
            raise Problem(f"another run is writing {what}; wait for it, or choose another --out") from None
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


# what a spreadsheet would run, behind any number of apostrophes
FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
DIGITS = re.compile("[0-9]+")


def to_cell(text):
    """Text for a CSV cell: never a formula to a spreadsheet (`from_cell` undoes this), and valid UTF-8."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "'" + text if FORMULA.match(text) else text


def from_cell(cell):
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def natural(text):
    """Sort key: `a2` before `a10`. Any two different texts have different keys."""
    return (DIGITS.sub(_number_key, text), text)


def _number_key(match):
    digits = match.group().lstrip("0")
    return f"{len(digits):03d}{digits}"
