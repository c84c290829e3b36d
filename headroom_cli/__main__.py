"""The console script.

Nothing is imported before the ``try``: Ctrl-C and a damaged installation must end in one line, also during start-up.
"""

import sys


def main() -> None:
    """Run the command line and end the process with its exit status."""
    status = 70
    try:
        import gc

        gc.disable()  # a filter lives for milliseconds and makes no cycles worth collecting; -9 % of its time at 10 MB
        from headroom_cli.cli.main import main as run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    except BaseException as error:  # noqa: BLE001 - the last edge: whatever happens becomes one line and a status
        sys.stderr.write(f"headroom: cannot start ({type(error).__name__}: {error!s:.200}); install it again\n")
    finally:
        # Skips the interpreter's teardown, 2-3 ms of a 20 ms run. Output was written by os.write and no thread is left.
        import os

        os._exit(status)


if __name__ == "__main__":
    main()
