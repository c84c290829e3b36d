"""find: what in a prompt is of this request, and what only looks so."""
# ruff: noqa: E501, Q003 - a fixture is one line, as long as it is

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import FLOODS

from headroom_cli.align import find
from headroom_cli.align._names import noun

UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
# What stands between «» is volatile, and nothing else in the text.
VOLATILE = (
    # dates that are named as the current one
    "Today's date: «2026-11-21»", "Today\u2019s date is «November 21, 2026».", "Today's date is «2026-11-21 (UTC)».",
    "Current date: «Friday, November 21, 2026»", "The current date is «21 November 2026».", "Current Date: «11/21/2026»",
    "The date today is «Nov 21, 2026», so plan for that.", "- **Date:** «2026-11-21»", "Date: «2026-11-21»\nBe brief.",
    "As of «November 21, 2026», the user has three open orders.", "current_date=«2026-11-21»", "currentDate: «2026-11-21»",
    "<current_date>\n«2026-11-21»\n</current_date>", "<today>«2026-11-21»</today>", "It is currently «November 2026».",
    "The current year is «2026».", "Current month: «November 2026»", "Today is «Friday».", "Today is «Friday, 21st November 2026».",
    "Heute ist «Freitag, 21. November 2026».", "Nous sommes aujourd'hui le «21 novembre 2026».", "Hoy es «21 de noviembre de 2026».",
    "\u4eca\u5929\u662f«2026\u5e7411\u670821\u65e5»\u3002", "«2026-11-21»\nYou are a support agent.",
    "Knowledge cutoff: 2025-06\nCurrent date: «2026-11-21»", "You are talking to Kim. Today: «2026/11/21».",
    "Session started on «2026-11-21».", "Conversation started: «2026-11-21»", "## Today's date\n\n«2026-11-21»\n\n## Rules",
    # clocks
    "The current time is «2026-11-21T14:03:22Z».", "The current time is «2024-05-15 15:00:00 EST».",
    "Current time: «14:03:22»", "Local time: «2:03 PM»", "Current time (UTC): «14:03»", "It is now «2:03 PM on Friday, November 21, 2026».",
    "Now: «2026-11-21 14:03»", "System time: «Fri Nov 21 14:03:22 UTC 2026»", "Generated at: «Fri, 21 Nov 2026 14:03:22 +0000»",
    "Current datetime: «2026-11-21T14:03:22.123456+01:00»", "timestamp: «1795274602»", "Unix time is «1795274602».",
    "[«2026-11-21 14:03:22»] session opened", "Datetime: «21.11.2026, 14:03 Uhr»", "Last login: «Fri Nov 21 09:14:02 2026» from office",
    "Current time: «Friday, November 21, 2026 at 2:03:22 PM (Europe/Berlin)»", "Server time: «2026-11-21 14:03:22 (UTC)»",
    # ids
    f"Session ID: «{UUID}»", f"session_id=«{UUID}»", f"Your conversation is «{UUID}».", f"Trace «{UUID}» is on.",
    "Request ID: «req_011CSHoEeqs5C35K2UUqR7Fy»", "This is request «req_8f3c2a7e91».", "Thread: «thread_abc123DEF456ghi789»",
    "trace-id: «4bf92f3577b34da6a3ce929d0e0e4736»", "User ID: «48213»", "sessionId: «a1b2c3d4»", "Run #«4821»",
    '{"session_id": "«' + UUID + '»", "lang": "en"}', "Your session id is `«sess-9f2k3l4m5n6p»`.", "Correlation-ID: «0f9d8c7b6a5e4d3c»",
    "Build number: «20261121.3»", "ULID «01ARZ3NDEKTSV4RRFFQ69G5FAV» names this call.",
    f"Session: «{UUID}». Log under logs/«{UUID}».txt and say «{UUID}» if asked.",
    # counters
    "Turn «17 of 40»", "Turn: «17»", "This is turn «3/10».", "Message «12 of 50».", "Tokens used: «12,345»", "tokens_used: «12345»",
    "Tokens remaining: «180,000»", "You have «23» turns left.", "There are «4» attempts remaining.", "Remaining budget: «$3.20»",
    "Context usage: «45%»", "Time elapsed: «12m 30s»", "Iteration: «5»", "Used so far: «12,345 tokens»",
    # places
    "Scratch files go to «/tmp/tmp8f3k2l9q».", "Write to «/tmp/claude-1000/8f3c2a7e/scratchpad».", "Use «/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/run».",
    "Temp: «C:\\Users\\kim\\AppData\\Local\\Temp\\tmp8f3k2l»", "Current Working Directory: «/home/kim/shop»", "cwd: «/home/kim/shop»",
    "Working directory: «/home/kim/shop»\nBe brief.", "Hostname: «ip-10-0-3-17»", "PID: «48213»", "Client IP: «10.0.3.17»", "Uptime: «3 days, 4:05»",
    # of many lines
    "<env>\n«Working directory: /home/kim/shop\nPlatform: linux\nToday's date: 2026-11-21»\n</env>\nBe brief.",
    "<environment_context>\n«  <cwd>/home/kim</cwd>\n  <shell>zsh</shell>»\n</environment_context>",
    "gitStatus: as of the start.\n\n«Current branch: main\n\nMain branch (for PRs): main\n\nStatus:\nM a.py\n?? b.py\n\nRecent commits:\nabc1234 Fix it\ndef5678 Add it»\n\nBe brief.",
    "Git:\n«On branch main\nYour branch is up to date with 'origin/main'.\n\nnothing to commit, working tree clean»\n\nBe brief.",
    "Recent commits:\n«abc1234 Fix it\ndef5678 Add it»\n\nBe brief.",
    "Latest log:\n«2026-11-21 14:03:20 INFO up\n2026-11-21 14:03:21 INFO ready\n2026-11-21 14:03:22 WARN slow»\nBe brief.",
    "Current branch: «feature/login»",
    # others
    "Current UTC time: «2026-11-21 14:03:22»",
    "Time now: «14:03»",
    "The date is «November 21, 2026».",
    "Current date and time: «2026-11-21 14:03:22 CET»",
    "Current system date: «2026-11-21»",
    "Assistant knows that today is «Saturday, November 21, 2026».",
    "You should assume the current date is «2026-11-21».",
    "It's «November 21, 2026» today.",
    "For reference, today's date is «11/21/26».",
    "Right now it is «Saturday 21 November 2026, 14:03».",
    "The conversation takes place on «2026-11-21».",
    "Request timestamp: «2026-11-21T14:03:22+00:00»",
    "Prompt generated on «2026-11-21 at 14:03».",
    "Context as of «2026-11-21T14:03Z»:",
    "[System time: «2026-11-21T14:03:22.123Z»]",
    "(Current time: «2:03:22 PM»)",
    "Current time is «14:03 UTC».",
    "UTC now = «2026-11-21T14:03:22Z»",
    "Date/time: «2026-11-21 14:03»",
    "Date & time: «Nov 21, 2026 2:03 PM»",
    "date: «Sat Nov 21 14:03:22 UTC 2026»",
    "user_local_time: «2026-11-21T15:03:22+01:00»",
    "<datetime>«2026-11-21T14:03:22Z»</datetime>",
    "<time>«14:03:22»</time>",
    f'<session id="«{UUID}»">',
    f"Session: «{UUID}»",
    "Session token: «a8f5f167f44f4964e6c998dee827110c»",
    "Interaction id: «int_8f3c2a7e91b2»",
    "chat_id: «987654321»",
    f"X-Request-Id: «{UUID}»",
    "Your run id is «run-20261121-140322».",
    "Conversation ID «conv_68f3c2a7e91b2»",
    "Message ID: «msg_01XFDUDYJgAACzvnptvVoYEL»",
    "trace: «00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01»",
    "Ticket ID: «48213»",
    "nonce: «9f8e7d6c»",
    "Random seed: «48213»",
    "Instance: «i-0abc123def4567890»",
    "Container ID: «4f9c21aa77bd»",
    "Pod: «web-5d8f7c9b6-x2x4z»",
    "Step «12/50»",
    "Iteration «3 of 10»",
    "You are on turn «5» of the conversation.",
    "You've used «12,345 of 200,000 tokens».",
    "Token budget remaining: «180000»",
    "Tokens left: «180,000»",
    "Remaining steps: «12»",
    "Requests remaining today: «88»",
    "Elapsed: «00:12:30»",
    "Balance: «$42.10»",
    "Working dir: «/home/kim/shop»",
    "The current working directory is «/home/kim/shop».",
    "PWD: «/home/kim/shop»",
    "Your scratchpad is «/tmp/agent-8f3c2a7e/notes.md».",
    "Temporary directory: «/tmp/pytest-of-kim/pytest-12»",
    "Git branch: «main»",
    "«On branch feature/x»",
    "HEAD is at «abc1234»",
    "Last commit: «abc1234 Fix it»",
    "Battery: «87%»",
    "Unread messages: «12»",
    "Day of week: «Saturday»",
    "The time in Berlin is «15:03».",
    "Current quarter: «Q4 2026»",
    "Current epoch: «1795274602»",
    "Data last refreshed: «2026-11-21»",
    "Last updated: «2026-11-21 14:03»",
    "Inventory as of «21 Nov 2026»",
    "Deployed at «2026-11-21T10:00:00Z»",
    # near to examples, and none
    f"Context: {{\"session_id\": \"«{UUID}»\"}}",
    f'Answer in French. Context: {{"session_id": "«{UUID}»", "current_time": "«2026-11-21T14:03:22Z»"}}',
    f'Return the answer.\n{{"session_id": "«{UUID}»"}}',
    f'{{"role":"assistant","current_time":"«2026-11-21T14:03:22Z»","session_id":"«{UUID}»"}}',
    f"    Current time (UTC): «14:03»\n    Session ID: «{UUID}»\n    <current_date>«2026-11-21»</current_date>",
    f"    Use the -f option. Session ID: «{UUID}»",
    "    Current session(s): session id is «a8f3c2d1e9»",
    f"Q: What is it?\nA: A tool.\nSession ID: «{UUID}»\nToday's date: «2026-11-21»",
    "User: What is the date?\nCurrent date: «2026-11-21»",
    "User: «usr_8f3c2a7e91ab»\nAgent: «agent_8f3c2a7e91ab»",
    "trace_id=«4bf92f3577b34da6a3ce929d0e0e4736».",
    "You have 12 tools and «3» retries left.",
)  # fmt: skip
STANDING = (
    "Knowledge cutoff: 2025-06-01", "Your knowledge cutoff is June 2025.", "Training data ends on 2025-06-01.",
    "anthropic-version: 2023-06-01", "Use API version 2024-10-21.", "Model claude-sonnet-4-5-20250929 and gpt-4o-2024-08-06.",
    "Copyright 2019-2026 Example Ltd.", "Version 2.1.197 (released 2026-10-02)", "Released on November 2, 2026.", "v1.2.3",
    "Dates look like 2026-11-21.", "Format dates as YYYY-MM-DD, e.g. 2026-11-21.", "Use ISO 8601 (2026-11-21T14:03:22Z).",
    "For example, the user may say 'Today is 2026-11-21'.", "Timestamps such as 2026-11-21 14:03:22 are in UTC.",
    "On July 20, 1969, two men walked on the Moon.", "The law of 1 January 2025 applies.", "She was born on 3 May 1990.",
    "The policy is effective January 1, 2026.", "Orders placed before 2026-01-01 cannot be returned.",
    "Black Friday is on November 27, 2026.", "The treaty was signed on Friday, November 21, 1806.", "Start Date: 2026-11-21",
    "Due date: 2026-12-01", "## [1.4.0] - 2026-11-21\n\n- Fix", "Changelog\n2026-11-21: first\n2026-11-22: second\nEnd.",
    "```json\n{\"created\": \"2026-11-21T14:03:22Z\", \"id\": \"7c9e6679-7425-40de-944b-e07fc1f90ae7\"}\n```",
    "```python\nstart = datetime(2026, 11, 21)\nid = '7c9e6679-7425-40de-944b-e07fc1f90ae7'\n```",
    '{"time": "2026-11-21T14:03:22Z", "level": "info"}', '{"type": "string", "default": "2026-11-21T14:03:22Z"}',
    "An id like 550e8400-e29b-41d4-a716-446655440000 is a UUID.", "ids: 123e4567-e89b-12d3-a456-426614174000",
    "<example>\nToday's date: 2026-11-21\nSession ID: 7c9e6679-7425-40de-944b-e07fc1f90ae7\n</example>",
    "Fixed in commit 3f2a9c1d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39.", "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "See https://example.com/a/3f2a9c1d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39/x.py", "image@sha256:9f86d081884c7d659a2feaa0c55ad015",
    "Call request_handler with user_identifier and session_id.", "Pass session_id=session.id to run_task().",
    "def get(request_id: str, user_id: int = 5) -> None:", "Run 3 tests, then 2 more.", "Build 12 houses.", "task 1: read; task 2: write",
    "Step 1 of 3: read.\nStep 2 of 3: think.\nStep 3 of 3: write.", "Step 1: read. Step 2: write.", "Use at most 40 turns.",
    "Max turns: 40", "You may make up to 5 attempts.", "Never use more than 4096 tokens per request.", "Turn 90 degrees left.",
    "Keep the 2 files left of the cursor.", "The port is 8080.", "Listen on 127.0.0.1:8080.", "Write the result to /tmp/output.txt.",
    "Repository root: the folder with .git", "The opening time is 9:00 and closing time is 18:00.", "Meet at 10:30 AM daily.",
    "Timeout: 30 seconds", "Call +1 555-010-4477 or 030/12-34-5678.", "Ratio 16:9 and 4/3.", "Genesis 1:1 and John 3:16",
    "Section 4.2.1-3 of 12.", "192.168.0.1/24 and 10.0.0.0/8", "Python 3.11.7 or 3.12", "RFC 2822 and RFC 3339", "0x7fff5fbff8a0",
    "main is the branch to merge into.", "The current branch is checked out.", "If today is a holiday, say so.", "Now 3 things matter.",
    "As of version 2.0 this is gone.", "As of 2024 this is law.", "The current price is 2026 dollars.", "Order 66 items at 2:1.",
    "color: #a1b2c3d4; width: 100px", "aGVsbG8gd29ybGQgdGhpcyBpcyBhIHRlc3Q=", "pyproject.toml:12: error", "user: kim, role: admin",
    # code that its indentation sets off
    'Write tests:\n\n    deadline = datetime(2026, 11, 21)\n    now = "2026-11-21T10:00:00Z"\n    assert now',
    f"So:\n\n    session_id = '{UUID}'\n    client.open(session_id)",
    f'So:\n\n\tcurl -H "X-Request-Id: {UUID}" https://api.example.com/',
    'So:\n\n    if current_date == "2026-11-21":\n        stop()',
    # answers in example conversations
    "Q: What is today?\nA: Today is 2026-11-20.\nQ: And tomorrow?\nA: Tomorrow is 2026-11-21.",
    f"User: My session id is {UUID}.\nAssistant: Thank you. It is now 14:03.",
    "Human: Which day is it?\n\nAssistant: Today is Friday, 2026-11-20 14:03:22.",
    "**User:** Hello\n**Assistant:** Today is 2026-11-20.", "Q1: Which turn?\nA1: This is turn 3 of 10.",
    # objects that the model is to make
    f'Reply as {{"date": "2026-11-21", "session_id": "{UUID}"}}.',
    f'Respond with JSON:\n{{\n  "session_id": "{UUID}",\n  "current_time": "2026-11-21T14:03:22Z"\n}}',
    f'Output: {{"call": {{"name": "f"}}, "request_id": "{UUID}"}}',
    # files named by what is in them
    "Load https://cdn.example.com/app.3f2a9c8d7e6b5a4f3e2d1c0b.js first.", "Load main.3f2a9c8d7e6b5a4f3e2d1c0b.chunk.css.",
    "Load 3f2a9c8d7e6b5a4f3e2d1c0b.js.", "See https://cdn.example.com/a.js?v=3f2a9c8d7e6b5a4f3e2d1c0b",
)  # fmt: skip


def split(marked):
    """Return the text without marks and what stands between them."""
    text, spans = "", []
    for i, piece in enumerate(marked.replace("»", "«").split("«")):
        if i % 2:
            spans.append((len(text), len(text) + len(piece)))
        text += piece
    return text, spans


def shown(text, spans):
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize("marked", VOLATILE)
@pytest.mark.parametrize(
    "around", ["{}", "You are a careful clerk.\n\n{}\n\nAnswer in one sentence."], ids=["alone", "inside"]
)
def test_what_is_of_this_request_is_found(marked, around):
    if around == "{}" or marked.startswith("«2026-11-21»\nYou"):
        text, spans = split(marked)
    else:
        text, spans = split(
            around.format(marked.replace("{", "{{").replace("}", "}}")).replace("{{", "{").replace("}}", "}")
        )
    assert shown(text, [(value.start, value.end) for value in find(text)]) == shown(text, spans)


@pytest.mark.parametrize("text", STANDING)
def test_what_stands_is_left(text):
    inside = f"You are a careful clerk.\n\n{text}\n\nAnswer in one sentence."
    assert shown(inside, [(value.start, value.end) for value in find(inside)]) == []


@pytest.mark.parametrize(
    ("text", "nouns"),
    [
        ("You have 12 tools and 3 retries left.", ["retries left"]),
        ("You have 3 retries and 4 attempts remaining.", ["attempts remaining"]),
        (
            f'{{"role":"assistant","current_time":"2026-11-21T14:03:22Z","session_id":"{UUID}"}}',
            ["current time", "session id"],
        ),
        (
            f'{{"role":"system","content":"Current date: 2026-11-21\\nSession ID: {UUID}"}}',
            ["current date", "session id"],
        ),
        ("System: Today's date is 2026-11-21.", ["today's date"]),
        ("Your nonce: 83719264.", ["nonce"]),
    ],
)
def test_a_value_is_named_by_its_own_words(text, nouns):
    assert [noun(value) for value in find(text)] == nouns


def test_values_ascend_and_do_not_overlap():
    text = "\n".join(split(marked)[0] for marked in VOLATILE if "\n" not in marked)
    found = find(text)
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert len(found) > 50


@given(st.text(alphabet="0123456789-:/. TZadefDays'sione\n<>`\"=_{}", max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_searched(text):
    found = find(text)
    assert all(0 <= value.start < value.end <= len(text) for value in found)
    assert all(one.end <= two.start for one, two in pairwise(found))


def test_a_letter_whose_lower_case_is_two_does_not_shift_places():
    text, spans = split("\u0130stanbul. Session ID: «a1b2c3d4»")
    assert shown(text, [(value.start, value.end) for value in find(text)]) == shown(text, spans)


HOSTILE = {
    **FLOODS,
    "dates": lambda n: "2026-11-21 " * (n // 11),
    "times": lambda n: "2026-11-21 14:03:22\n" * (n // 20),
    "named dates": lambda n: "November 21, 2026 " * (n // 18),
    "uuids": lambda n: f"{UUID} " * (n // 37),
    "hexadecimal": lambda n: "a1b2c3d4e5f6a7b8c9d0e1f2 " * (n // 25),
    "labels": lambda n: "session id: " * (n // 12),
    "ids": lambda n: "session id: a1b2c3d4 " * (n // 21),
    "left": lambda n: "5 tokens left " * (n // 14),
    "turns": lambda n: "turn 5 of 9 " * (n // 12),
    "now": lambda n: "now is now " * (n // 11),
    "temporary": lambda n: "/tmp/" * (n // 5),
    "elements": lambda n: "<env>\n" * (n // 6),
    "branches": lambda n: "Current branch: a\n" * (n // 18),
    "stamps": lambda n: "14:03:22 a\n" * (n // 11),
    "examples": lambda n: "<example>\n" * (n // 10),
    "spoken": lambda n: "User: today is 2026-11-21\n" * (n // 26),
    "braces": lambda n: '{"session_id": "a1b2c3d4", ' * (n // 27),
    "code": lambda n: '    now = "2026-11-21T10:00:00Z"\n' * (n // 33),
    "addresses": lambda n: "https://a1b2c3d4e5f6a7b8c9d0e1f2?" * (n // 33),
    "one line of dates": lambda n: "e.g. 2026-11-21, " * (n // 17),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_flood_of_a_mebibyte_is_searched_in_time(name):
    text = HOSTILE[name](1 << 20)
    find(text[:5000])
    started = time.perf_counter()
    find(text)
    assert time.perf_counter() - started < 1.5  # 0.3 s is the aim on a quiet machine: benchmarks/align.py
