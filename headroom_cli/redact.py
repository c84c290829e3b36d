"""Take secrets out of a command line before it is kept as a note beside an original.

Originals are stored as given, because exactness needs that; notes about them need no key, so they carry none.
"""

from __future__ import annotations

import re

from headroom_cli.lazy import pattern

KEPT = 200  # characters of a command that tell a person which output this was
_GONE = "***"

# Every pattern is a fixed prefix and one bounded run, so a hostile command costs linear time.
_SECRETS = pattern(
    r"""
    (?P<name>(?:\bauthorization\s{0,3}:\s{0,3}(?:\w{1,20}\s{1,3})?|\b(?:bearer|basic)\s{1,3})
       | \b[\w-]{0,40}(?:key|token|secret|passw(?:or)?d|pwd|auth|credential)[\w-]{0,40}
         \s{0,3}[=:]\s{0,3}["']?
       | (?:--?(?:password|passwd|token|secret|api-key|user|u)[ =])
       | ://[^\s/:@]{0,100}:(?=[^\s/@]{1,200}@))
    (?P<value>[^\s"'@&]{1,500})
    | \b(?:sk|pk|ghp|gho|ghs|ghu|github_pat|glpat|xox[abprs]|AKIA|ASIA|AIza|hf|npm|eyJ)[-_]?[A-Za-z0-9_\-.]{12,500}
    """,
    re.IGNORECASE | re.VERBOSE,
)


def redact(command: str) -> str:
    """Return the first line of a command, at most KEPT characters, with ``***`` for what looks like a secret."""
    line = command.strip().partition("\n")[0][: KEPT * 4]
    line = _SECRETS.sub(lambda found: (found["name"] or "") + _GONE, line)
    return line if len(line) <= KEPT else line[: KEPT - 3] + "..."
