"""``headroom doctor``: look at everything that a run depends on, one line each: well, or what to do."""

from __future__ import annotations

from headroom_cli.cli import io, report
from headroom_cli.cli.options import Verb
from headroom_cli.errors import HeadroomError, UsageError
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from headroom_cli.cli.checkup import Finding
    from headroom_cli.origins import Origins
    from headroom_cli.settings import Settings

OWN = ("port", "online")


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Check everything; 1 when there is something to do. No check can end the others."""
    from headroom_cli import origins
    from headroom_cli.cli.checkup import DO

    found = origins.find({name: text for name, text in own.items() if name not in OWN})
    number = _port(own.get("port", ""))
    findings = []
    for name, check in _checks(found, number, online=own.get("online") == "true"):
        for finding in _guarded(name, check):
            findings.append(finding)
            if not settings.json and (finding.state == DO or not settings.quiet):
                _write(finding)
    well = not any(finding.state == DO for finding in findings)
    if settings.json:
        import json

        rows = [
            {"check": finding.check, "state": finding.state, "said": finding.said, "advice": finding.advice}
            for finding in findings
        ]
        io.write(json.dumps({"v": 1, "well": well, "checks": rows}).encode() + b"\n")
    return 0 if well else 1


def _checks(found: Origins, number: int, *, online: bool) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Yield the checks in their order, what is nearest first."""
    from headroom_cli.cli import checkup, checkup_around

    settings = found.settings
    yield "headroom", checkup.program
    yield "settings", lambda: checkup.configuration(found)
    yield "store", lambda: checkup.store(settings)
    yield "tokens", lambda: checkup.counting(settings)
    yield "self-test", checkup.itself
    yield "libraries", checkup_around.libraries
    yield "models", lambda: checkup_around.models(settings)
    yield "keys", lambda: checkup_around.keys(settings)
    yield "port", lambda: checkup_around.port(number)
    yield "clients", checkup_around.clients
    if online:
        yield "online", lambda: checkup_around.online(settings)


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds; what it dies of is a finding too."""
    from headroom_cli.cli import checkup

    try:
        yield from check()
    except HeadroomError as error:
        yield checkup.of_error(name, error)
    except Exception as error:  # noqa: BLE001 - a check that fails is what a doctor is there to tell of
        said = f"cannot be checked ({type(error).__name__}: {str(error)[:200]})"
        yield checkup.Finding(name, checkup.DO, said, "mend what it names, or report it")


def _write(finding: Finding) -> None:
    """Write one line."""
    said = f"{finding.said}; {finding.advice}" if finding.advice else finding.said
    line = f"{finding.state:<3} {finding.check:<17} {report.clean(said)}\n"
    io.write(line.encode("utf-8", "backslashreplace"))


def _port(text: str) -> int:
    """Return the port to look at. Raise UsageError."""
    from headroom_cli.cli.checkup_around import PORT

    if not text:
        return PORT
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65_536:
        return int(text)
    raise UsageError(f"--port {text[:40]!r}: write a number from 1 to 65,535")


VERB = Verb(
    "doctor",
    run,
    about="check everything that a run depends on, and say what to do",
    text="""
        Writes one line for each check: ok, or - for what is merely so, or do, with what to do. It looks at config.toml
        and the HEADROOM_* variables; at the store, its owner, modes and room, and reads its newest originals; counts
        tokens; shortens a log in a store of its own and gets it back byte for byte; at the libraries and extras that
        are installed; the models; which providers' keys are present (names of variables, never a key); the proxy's
        port; the agents on PATH, and what the environment tells them.

        Nothing leaves this machine, unless --online asks each provider's address whether it answers; no key is sent.
        Nothing is changed. It works also where nothing else does: without a home, with a file that is no TOML, with a
        store that cannot be read.

        With -q only what there is to do. With --json, one object: well, checks (check, state, said, advice).
    """,
    flags=("ranks", "store", "kompress", "key_file", "base_url", "json", "quiet", "no_color"),
    own=(
        Setting("online", ("--online",), "", "switch", "", "also ask whether the providers can be reached"),
        Setting("port", ("--port",), "", "text", "N", "the port of the proxy", shown="8787"),
    ),
    examples=(
        ("headroom doctor", "see whether all is well"),
        ("headroom doctor --online", "also try to reach the providers"),
        ("headroom doctor -q || echo 'see above'", "say in a script what there is to do"),
    ),
    statuses=((1, "there is something to do"),),
    lenient=True,
)  # fmt: skip
