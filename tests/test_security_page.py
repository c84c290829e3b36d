"""What docs/security.md says in numbers is what the program does."""

import re

from conftest import ROOT

from headroom_cli import redact
from headroom_cli.cli.options import VERBS
from headroom_cli.serve.options import Limits, Serving
from headroom_cli.store import BUDGET, KEEP_DAYS, frames, grants, secret

PAGE = " ".join((ROOT / "docs/security.md").read_text().split())


def test_limits_are_those_of_the_program():
    limits = Limits()
    mib = 1 << 20
    assert f"A head has {limits.head >> 10} KiB, {limits.head_fields} fields and {limits.head_seconds:.0f} s" in PAGE
    assert f"a body {limits.body // mib} MiB as it comes and decoded" in PAGE
    assert limits.decoded == limits.body
    assert f"{limits.together // mib} MiB of large bodies" in PAGE
    assert f"killed after {limits.job_seconds:.0f} s and (on Linux) may have {limits.job_memory >> 30} GiB" in PAGE
    assert f"more than {frames.MAX_ORIGINAL >> 30} GiB, or a window above {frames.MAX_WINDOW // mib} MiB" in PAGE
    assert f"not used for {KEEP_DAYS} days" in PAGE
    assert f"at most {redact.KEPT} characters" in PAGE
    assert f"{secret.SIZE} random bytes" in PAGE
    assert f"{grants.LENGTH} to {grants.LONGEST} of `a-z` and `2-7`" in PAGE
    assert Serving("").host == "127.0.0.1"
    assert BUDGET == 5 << 30


def test_verbs_that_the_page_names_exist():
    named = re.search(r"Filters \(([^)]*)\) open no connection", PAGE)[1]
    assert set(re.findall(r"`(\w+)`", named)) <= set(VERBS)


def test_links_of_the_first_page_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "SECURITY.md").read_text())
    assert links
    assert all((ROOT / link).exists() for link in links)
