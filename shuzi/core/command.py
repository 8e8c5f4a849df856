"""A script as a command: exit codes that a shell can use, and errors as one line for a person."""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from shuzi.core.text import shown


class Problem(Exception):
    """The program can't do what it was asked. The message is one line: why, and what to do."""


def run(main: Callable[[], int], resumes: bool = False) -> None:
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


def explain(error: OSError) -> str:
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
