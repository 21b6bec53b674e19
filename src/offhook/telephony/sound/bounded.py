"""The program that becomes a speech engine, within bounds: `bounded.py SECONDS BYTES OUTPUT COMMAND...`.

An engine is native code that reads what strangers wrote (a menu's names, a web service's message), so what it may use
is set before it begins: seconds of processor, bytes of memory, bytes of what it writes, no core dump, and less of a
turn than calls under way. It must import nothing of Offhook, so that it starts quickly.
"""

import os
import resource
import sys

_NICE = 5


def bound(kind: int, most: int) -> None:
    """Bound one resource, as far as we are bound ourselves."""
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def main() -> None:
    """Bind, and become the command."""
    seconds, memory, output, *command = sys.argv[1:]
    bound(resource.RLIMIT_CORE, 0)
    bound(resource.RLIMIT_CPU, int(seconds))
    bound(resource.RLIMIT_AS, int(memory))
    bound(resource.RLIMIT_FSIZE, int(output))
    os.nice(_NICE)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError:
        sys.exit(127)


if __name__ == "__main__":
    main()
