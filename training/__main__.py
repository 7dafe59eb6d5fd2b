"""`python -m training`: train and publish; `python -m training report`: compare networks and write a report."""

import sys

from training.interrupt import end_on_interrupt, leave
from training.quiet import discard_stdout

FAILED = 1
BROKEN_PIPE = 141  # 128 + SIGPIPE, as shells have it


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    # Imported here, after the SIGINT handler: the import takes tenths of a second, in which Ctrl-C must work, too.
    from training.command import run

    try:
        code = run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of stdout, such as `head`, has ended: no message
        discard_stdout()
        return BROKEN_PIPE
    except OSError as error:  # `run` names all errors of its own
        discard_stdout()
        print(f"training: the results cannot be printed: {error.strerror}", file=sys.stderr)
        return FAILED
    return code


def _process() -> int:
    try:
        end_on_interrupt()
        return main(sys.argv[1:])
    except KeyboardInterrupt:
        leave()


if __name__ == "__main__":
    sys.exit(_process())
