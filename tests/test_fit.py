"""Whole units go, the rest stays as it was, and what was decided for a prefix holds for the whole."""

import functools
import json
import os
import random
import subprocess
import sys

import pytest
from conftest import ROOT
from fit_talks import SHAPES, anthropic, chat, items, script, talk, words
from growth import within
from inputs import CORPUS, WHY_NO_CORPUS, corpus

from headroom_cli import fit, formats, tokens
from headroom_cli.fit import turns as reading
from headroom_cli.fit.actions import describe, program
from headroom_cli.fit.facts import Facts, errors, failed
from headroom_cli.fit.units import units
from headroom_cli.harness import LEFT_OUT

FULL = 10**9


class Notes:
    """What the store remembers, as JSON."""

    def __init__(self):
        self.held = {}

    def get(self, name):
        return json.loads(self.held[name]) if name in self.held else None

    def set(self, name, value):
        self.held[name] = json.dumps(value)


@functools.cache  # these conversations are read again and again, each beginning of them anew
def count(text):
    return tokens.count(text, "")


def opened(value):
    return formats.parse(json.dumps(value).encode())


def turns_of(document):
    value = document.value()
    for key in document.turns:
        value = value[key]
    return value


def total(document):
    return fit.plan(document, FULL, count).before


def texts(plan):
    return [f"{group.note}\n<<headroom:abcdefghijkl {group.missing}>>" for group in plan.groups]


def fitted(document, plan):
    return document.edited(fit.edits_for(document, plan, texts(plan)))


def decided(plan):
    return [(group.first, group.last, group.note, group.missing) for group in plan.groups]


def pairs(turns):
    """Return (calls without a result, results without a call), by position: a result stands behind its call."""
    calls, lost = [], []
    for turn in turns:
        content = turn.get("content")
        parts = content if isinstance(content, list) else []
        made = [part["id"] for part in parts if isinstance(part, dict) and part.get("type") == "tool_use"]
        made += [call["id"] for call in turn.get("tool_calls") or ()]
        made += [turn["call_id"]] if turn.get("type") == "function_call" else []
        answered = [
            part["tool_use_id"] for part in parts if isinstance(part, dict) and part.get("type") == "tool_result"
        ]
        answered += [turn["tool_call_id"]] if turn.get("role") == "tool" else []
        answered += [turn["call_id"]] if turn.get("type") == "function_call_output" else []
        for name in answered:
            if name in calls:
                calls.remove(name)
            else:
                lost.append(name)
        calls += made
    return calls, lost


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.35, 0.5, 0.75])
def test_what_is_left_fits_pairs_and_is_the_clients(shape, share):
    fits = 0
    for seed in range(4):
        data = talk(shape, seed)
        document = formats.parse(data)
        budget = int(total(document) * share)
        plan = fit.plan(document, budget, count)
        if not plan.fits:
            assert plan.stay > budget
            assert fit.fit(document, budget, count) is None
            continue
        fits += 1
        made, undo = fitted(document, plan)
        assert made.format == document.format
        assert plan.after <= budget
        assert total(made) <= plan.after
        assert pairs(turns_of(made)) == ([], [])
        assert formats.undone(made.text, undo).encode() == data
        old, gone = turns_of(document), {i for group in plan.groups for i in range(group.first, group.last + 1)}
        left = [turn for turn in turns_of(made) if not LEFT_OUT.match(str(turn.get("content")))]
        for before, after in zip([turn for i, turn in enumerate(old) if i not in gone], left, strict=True):
            assert before == after or _joined(before, after)
        again = fit.plan(made, budget, count)
        assert again.groups == []
    assert fits >= 2


def _joined(before, after):
    """Tell whether a user turn is as it was but for notes behind or in front of it."""
    kept = [part for part in after["content"] if not LEFT_OUT.match(part.get("text", ""))]
    held = before["content"]
    return after["role"] == "user" and kept == ([{"type": "text", "text": held}] if isinstance(held, str) else held)


@pytest.mark.parametrize("shape", ["anthropic", "bare anthropic"])
def test_user_and_assistant_take_turns_and_results_come_first(shape):
    for seed in range(8):
        document = formats.parse(talk(shape, seed))
        plan = fit.plan(document, total(document) // 2, count)
        assert plan.groups
        turns = turns_of(fitted(document, plan)[0])
        assert [turn["role"] for turn in turns[::2]] == ["user"] * len(turns[::2])
        assert {turn["role"] for turn in turns[1::2]} <= {"assistant"}
        for turn in turns:
            kinds = [part["type"] for part in turn["content"]] if isinstance(turn["content"], list) else []
            results = kinds.count("tool_result")
            assert kinds[:results] == ["tool_result"] * results


def of_turns(value, k=None):
    """Return a request or list with its first ``k`` turns."""
    if isinstance(value, list):
        return opened(value[:k])
    key = "input" if "input" in value else "messages"
    return opened({**value, key: value[key][:k]})


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_turn_is_does_not_depend_on_later_ones(shape):
    value = json.loads(talk("openai" if shape == "jsonl" else shape, 7))
    document = of_turns(value)
    whole = reading.read(document, count)
    for k in range(1, len(whole)):
        part = reading.read(of_turns(value, k), count)
        for one, other in zip(part, whole[:k], strict=True):
            assert all(getattr(one, name) == getattr(other, name) for name in reading.Turn.__slots__)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_prefix_decides_as_the_whole_does(shape):
    for seed, share in ((0, 0.4), (1, 0.2)):
        value = json.loads(talk("openai" if shape == "jsonl" else shape, seed))
        budget = int(total(of_turns(value)) * share)
        whole = fit.plan(of_turns(value), budget, count)
        remembered, lasting = Notes(), Notes()
        fit.plan(of_turns(value), budget, count, notes=remembered)
        assert whole.steps
        size = len(turns_of(of_turns(value)))
        for k in (*range(2 + seed, size, 2), size):
            part = of_turns(value, k)
            plan = fit.plan(part, budget, count)
            seen = [(step.turn, step.before, step.after) for step in plan.steps]
            assert seen == [(step.turn, step.before, step.after) for step in whole.steps if step.turn < k]
            # With a memory that grows request by request, and with that of the whole, it is the same.
            for notes in (lasting, remembered):
                replayed = fit.plan(part, budget, count, notes=notes)
                assert decided(replayed) == decided(plan)
                assert replayed.fits == plan.fits
        assert decided(plan) == decided(whole)


def test_what_was_decided_holds_whatever_decides_now():
    document = formats.parse(talk("openai", 1))
    budget, notes = total(document) // 2, Notes()
    first = fit.plan(document, budget, count, notes=notes)
    # Another version: it counts otherwise, and would choose otherwise.
    again = fit.plan(document, budget, lambda text: count(text) * 5 // 6, notes=notes)
    assert decided(again) == decided(first)
    assert [step.turn for step in again.steps] == [step.turn for step in first.steps]
    other = fit.plan(document, budget - 1, lambda text: count(text) * 5 // 6, notes=notes)
    assert decided(other) != decided(first)


def test_it_drops_in_large_steps():
    document = formats.parse(talk("openai", 3, units=120))
    budget = total(document) // 3
    plan = fit.plan(document, budget, count)
    assert 2 <= len(plan.steps) <= 9
    for step in plan.steps:
        assert step.before > budget
        assert step.after <= 0.72 * budget
        assert 0 < step.rewritten <= step.after
        assert step.cost == round(1.25 * step.rewritten)


def test_what_is_adrift_says_itself_what_it_referred_to():
    messages = words(script(3, units=12))
    document = opened({"system": "x", "messages": messages})
    plan = fit.plan(document, total(document) // 2, count)
    turn = plan.groups[0].first - 1 or plan.groups[0].last + 1
    number = next(n for n, block in enumerate(document.blocks) if document.turn_of(block) == turn)
    made, undo = document.edited(fit.edits_for(document, plan, texts(plan), {number: "said again", 0: "also"}))
    assert "said again" in json.dumps(turns_of(made))
    assert made.value()["system"] == "also"
    assert formats.undone(made.text, undo) == document.text


def test_within_the_budget_nothing_happens():
    document = formats.parse(talk("anthropic", 0))
    plan = fit.fit(document, total(document), count)
    assert plan is not None
    assert (plan.groups, plan.steps, plan.after) == ([], [], plan.before)
    raw = fit.fit(formats.parse(b"hello"), 1, count)
    assert raw is not None
    assert raw.groups == []


def test_what_cannot_fit_says_what_must_stay():
    document = formats.parse(talk("anthropic", 0))
    plan = fit.plan(document, 40, count)
    assert not plan.fits
    assert plan.groups == []
    assert plan.after == plan.before
    assert plan.stay > 40
    assert fit.plan(document, plan.stay, count).fits
    assert not fit.plan(document, plan.stay - 100, count).fits


# --- what stays


def conversation(*middle, first="Fix it.", last="Go on.", filler=30):
    """Return a chat whose middle stands between many large outputs nobody needs."""
    rng = random.Random(0)
    steps = [("user", first)]
    for i in range(filler):
        text = "\n".join(" ".join(rng.choices(("one", "two", "three"), k=12)) for _ in range(20))
        steps.append(("calls", f"Look {i}.", [("bash", {"command": f"show {i}"}, text, False)]))
        if i == filler // 3:
            steps += middle
    return [*steps, ("user", last)]


def kept(messages, share=0.5, **options):
    document = opened({"messages": messages})
    plan = fit.plan(document, int(total(document) * share), count, **options)
    assert plan.groups
    return json.dumps(turns_of(fitted(document, plan)[0])), plan


def test_system_prompts_the_first_words_and_the_last_turns_stay():
    value = json.loads(talk("openai", 2))
    document = opened(value)
    turns = turns_of(document)
    plan = fit.plan(document, total(document) // 2, count)
    left = turns_of(fitted(document, plan)[0])
    assert left[:2] == turns[:2]
    last = units(reading.read(document, count))[-2].first
    assert left[-(len(turns) - last) :] == turns[last:]


@pytest.mark.parametrize(
    "said", ["Remember: the port is 9", "It is IMPORTANT to ask me", "never touch vendor/", "immer auf Deutsch"]
)
def test_what_the_user_wants_kept_in_mind_stays(said):
    steps = conversation(("user", said), ("said", "Fine."))
    assert said in kept(chat(steps), 0.3)[0]


def test_the_newest_plan_stays_and_older_ones_may_go():
    def todo(text):
        return ("calls", "Plan.", [("TodoWrite", {"todos": [{"content": text}]}, "ok " * 200, False)])

    text, plan = kept(chat(conversation(todo("old things"), todo("new things"))), 0.2)
    assert "new things" in text
    assert "newest plan" in [row.kept for row in plan.rows]


def test_what_is_asked_for_stays():
    step = (
        "calls",
        "Look.",
        [("bash", {"command": "show x"}, "the flux capacitor needs 1.21 gigawatts\n" * 20, False)],
    )
    steps = conversation(step)
    assert "gigawatts" not in kept(chat(steps), 0.3)[0]
    text, plan = kept(chat(steps), 0.3, query="flux capacitor gigawatts")
    assert "gigawatts" in text
    assert "asked for" in [row.kept for row in plan.rows]


def failure(command="make check", text="ValueError: no such port"):
    shown = "\n".join([*(f"step {i} of the build is done" for i in range(30)), text])
    return ("calls", "Try.", [("bash", {"command": command}, shown, False)])


def test_an_error_stays_until_something_of_the_kind_works():
    text, plan = kept(chat(conversation(failure())), 0.3)
    assert "ValueError: no such port" in text
    assert "error" in [row.kept for row in plan.rows]
    fine = ("calls", "Again.", [("bash", {"command": "make check"}, "all is fine\n" * 30, False)])
    text, plan = kept(chat(conversation(failure(), fine, filler=4)), 0.45)
    gone = [group for group in plan.groups if "error" in group.missing]
    assert len(gone) == 1
    assert gone[0].missing.endswith(" tokens, 1 error")
    assert "ValueError: no such port" in gone[0].note


def test_a_window_takes_no_error_away():
    fine = ("calls", "Again.", [("bash", {"command": "make check"}, "all is fine\n" * 30, False)])
    text, plan = kept(chat(conversation(failure(), fine, filler=6)), 0.5, explicit=False)
    assert "step 29 of the build" in text
    assert not any("error" in group.missing for group in plan.groups)


def test_errors_go_last_when_nothing_else_can():
    steps = [("user", "Fix it.")]
    steps += [failure(f"tool{i} check", f"ValueError: number {i}") for i in range(20)]
    document = opened({"messages": chat([*steps, ("user", "Go on.")])})
    plan = fit.plan(document, total(document) // 2, count)
    assert plan.fits
    assert sum(int(group.missing.split(", ")[2].split()[0]) for group in plan.groups) == 20 - sum(
        row.step == 0 and row.kind == "tools" for row in plan.rows
    )
    assert fit.fit(document, total(document) // 2, count, explicit=False) is None


def test_nothing_in_front_of_a_signature_goes_for_a_window():
    value = {"system": "x", "messages": anthropic(script(4), thinking=True)}
    document = opened(value)
    budget = total(document) // 2
    assert fit.fit(document, budget, count, explicit=False) is None
    plan = fit.plan(document, budget, count)
    assert plan.groups
    assert plan.signed > 0


def test_what_something_kept_refers_to_stays():
    steps = conversation()
    document = opened({"messages": chat(steps)})
    budget = total(document) // 3
    plan = fit.plan(document, budget, count)
    blocks = document.blocks
    outputs = [n for n, block in enumerate(blocks) if block.role == "tool"]
    gone = [n for n in outputs if any(g.first <= document.turn_of(blocks[n]) <= g.last for g in plan.groups)]
    source, keeper = gone[3], outputs[-1]
    refers = {keeper: (gone[5],), gone[5]: (source,)}
    plan = fit.plan(document, budget, count, refers=refers)
    left_out = {i for g in plan.groups for i in range(g.first, g.last + 1)}
    for block, sources in refers.items():
        if document.turn_of(blocks[block]) not in left_out:  # decided before the reference came: it has to go
            assert (block in plan.adrift) == (document.turn_of(blocks[sources[0]]) in left_out)
    # What has to say itself what it referred to counts with what it says then.
    if plan.adrift:
        longer = fit.plan(document, budget, count, refers=refers, original=lambda n: blocks[n].text + " more" * 200)
        assert longer.adrift == plan.adrift
        assert longer.after >= plan.after + 100 * len(plan.adrift) or len(longer.steps) > len(plan.steps)
    # Where both are there at the step, the reference holds.
    plan = fit.plan(document, budget, count, refers=dict.fromkeys(outputs[1:], (outputs[0],)))
    assert document.turn_of(blocks[outputs[0]]) not in {i for g in plan.groups for i in range(g.first, g.last + 1)}
    assert plan.adrift == ()


def test_a_fact_that_was_used_stays_rather_than_one_that_was_not():
    rng = random.Random(5)
    steps = [("user", "Find it.")]
    for i in range(30):
        shown = "\n".join(f"value_{rng.randrange(10**6)} = {rng.randrange(10**6)}" for _ in range(20))
        if i == 4:
            shown += "\ntoken_for_the_door = 'XK77Q'"
        steps.append(("calls", f"Look {i}.", [("bash", {"command": f"show {i}"}, shown, False)]))
        if i == 9:
            steps += [("said", "The door opens with token_for_the_door."), ("user", "Good, look further.")]
    text = kept(chat([*steps, ("user", "So?")]), 0.4)[0]
    assert "token_for_the_door" in text


# --- units


def cut(messages):
    return [(unit.first, unit.last, unit.kind, unit.fixed) for unit in units(reading.read(opened(messages), count))]


def test_a_call_and_all_its_results_are_one():
    call = {"role": "assistant", "content": None, "tool_calls": [
        {"id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}} for name in ("a", "b")
    ]}  # fmt: skip
    results = [{"role": "tool", "tool_call_id": name, "content": "x"} for name in ("b", "a")]
    messages = [{"role": "user", "content": "hi"}, call, *results, {"role": "assistant", "content": "done"}]
    assert cut(messages) == [(0, 0, "head", "head"), (1, 3, "tools", ""), (4, 4, "said", "")]
    # Results of two turns that overlap make one unit of both.
    late = [messages[0], call, results[0], {"role": "assistant", "content": "wait"}, results[1]]
    assert cut(late) == [(0, 0, "head", "head"), (1, 4, "tools", "")]


def test_ids_that_are_used_again_pair_with_the_newest_call():
    steps = [("user", "go"), *[("calls", "x", [("bash", {"command": "ls"}, "out", False)])] * 2]
    messages = [dict(turn) for turn in chat(steps)]
    for turn in messages:
        for call in turn.get("tool_calls", ()):
            call["id"] = "call_0"
        if turn["role"] == "tool":
            turn["tool_call_id"] = "call_0"
    assert cut(messages) == [(0, 0, "head", "head"), (1, 2, "tools", ""), (3, 4, "tools", "")]


def test_halves_are_left_as_they_are():
    lonely = {"role": "tool", "tool_call_id": "gone", "content": "x " * 500}
    steps = chat(conversation())
    messages = [*steps[:9], lonely, *steps[9:]]
    document = opened({"messages": messages})
    plan = fit.plan(document, total(document) // 3, count)
    assert lonely in turns_of(fitted(document, plan)[0])
    assert "a result without its call" in [row.kept for row in plan.rows]


def test_reasoning_goes_with_the_calls_it_leads_to():
    reasoning = {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x" * 80}
    calls = [{"type": "function_call", "call_id": f"c{i}", "name": "f", "arguments": "{}"} for i in (1, 2)]
    outputs = [{"type": "function_call_output", "call_id": f"c{i}", "output": "x"} for i in (1, 2)]
    given = [{"role": "user", "content": "hi"}, reasoning, *calls, *outputs, {"role": "user", "content": "so?"}]
    assert cut({"input": given}) == [(0, 0, "head", "head"), (1, 5, "tools", ""), (6, 6, "words", "")]
    for turn in items(script(3)):
        if turn.get("type") == "reasoning":
            assert reading.read(opened({"input": [turn]}), count)[0].role == "assistant"


def test_items_that_are_not_understood_stay():
    given = items(conversation())
    odd = {"type": "compaction", "id": "c", "encrypted_content": "x" * 4000}
    document = opened({"input": [*given[:20], odd, *given[20:]]})
    plan = fit.plan(document, total(document) // 3, count)
    assert odd in turns_of(fitted(document, plan)[0])


def test_a_command_in_words_and_its_output_are_one():
    rows = cut(words(script(2, units=6)))
    assert {kind for _, _, kind, _ in rows} >= {"head", "tools"}
    assert all(last - first == 1 for first, last, kind, _ in rows if kind == "tools")
    told = {"role": "user", "content": "Please always provide EXACTLY ONE action in triple backticks, found 2"}
    assert cut([{"role": "user", "content": "go"}, {"role": "assistant", "content": "hm"}, told])[1][2] == "tools"


def test_an_observation_without_its_wrapper_is_told_by_its_original():
    messages = words(script(2, units=12))
    bare = [dict(turn) for turn in messages]
    for turn in bare:
        turn["content"] = turn["content"].removeprefix("<returncode>0</returncode>\n<output>\n")
    document, raw = opened(bare), opened(messages)
    told = reading.read(document, count, lambda number: raw.blocks[number].text)
    expected = units(reading.read(raw, count))
    assert [(u.first, u.last, u.kind) for u in units(told)] == [(u.first, u.last, u.kind) for u in expected]
    assert [turn.done for turn in told] == [turn.done for turn in reading.read(raw, count)]
    plan = fit.plan(document, total(document) // 2, count, original=lambda number: raw.blocks[number].text)
    assert {row.kind for row in plan.rows if row.step} == {"tools"}


def test_what_a_harness_says_in_the_users_turn_is_not_the_users():
    reminder = "<system-reminder>never mention this</system-reminder>"
    told = reading.read(opened([{"role": "user", "content": reminder + "\nFix it."}]), count)
    assert told[0].own == "Fix it."
    steps = conversation()
    messages = anthropic(steps)
    for turn in messages[2::2]:
        turn["content"].append({"type": "text", "text": reminder})
    plan = kept(messages, 0.4)[1]
    assert "pinned" not in [row.kept for row in plan.rows]


def test_values_that_align_moved_stay():
    note = "[headroom: the names in braces above stand for these values]\n{date}: today"
    messages = chat(conversation(("user", note), ("said", "ok")))
    assert "{date}: today" in kept(messages, 0.2)[0]


def test_a_system_turn_in_the_middle_keeps_its_neighbours():
    messages = anthropic(conversation())
    messages[11:11] = [{"role": "system", "content": "Plan mode is on."}]
    document = opened({"system": "x", "messages": messages})
    plan = fit.plan(document, total(document) // 3, count)
    left = turns_of(fitted(document, plan)[0])
    at = left.index(messages[11])
    assert left[at - 1]["role"] == "user"
    assert left[at + 1] == messages[12]


# --- words


@pytest.mark.parametrize(
    ("tool", "subject", "expected"),
    [
        ("bash", "cat src/a.py", ("read", "src/a.py")),
        ("bash", "cd /repo && sed -n 1,20p src/a.py", ("read", "src/a.py")),
        ("bash", "sed -i 's/a/b/' src/a.py", ("edited", "src/a.py")),
        ("bash", "cat <<'EOF' > repro.py\nprint(1)\nEOF", ("wrote", "repro.py")),
        ("bash", "python -m pytest -q tests 2>&1 | tail -5", ("ran", "pytest")),
        ("bash", "timeout 60 npm test", ("ran", "npm test")),
        ("bash", "grep -rn foo src | head", ("searched", "foo")),
        ("bash", "ls -la src", ("listed", "src")),
        ("Bash", "git diff HEAD~1", ("ran", "git diff")),
        ("Read", "/repo/src/a.py", ("read", "/repo/src/a.py")),
        ("Edit", "/repo/src/a.py", ("edited", "/repo/src/a.py")),
        ("apply_patch", "*** Begin Patch\n*** Update File: src/a.py\n", ("edited", "src/a.py")),
        ("get_user_details", "", ("called", "get_user_details")),
    ],
)
def test_what_a_call_did_is_said_in_one_verb(tool, subject, expected):
    assert describe(tool, subject) == expected


def test_notes_are_short_true_and_ours():
    document = formats.parse(talk("openai", 5, units=60))
    plan = fit.plan(document, total(document) // 3, count)
    assert len(plan.groups) > 1
    rows = reading.read(document, count)
    for group in plan.groups:
        turns = rows[group.first : group.last + 1]
        assert LEFT_OUT.match(group.note)
        assert f"{len(turns)} turn" in group.note
        assert group.note.endswith("]")
        assert "\n" not in group.note
        assert len(group.note) < 420
        assert group.missing.startswith(f"{len(turns)} turn")
        assert f"{sum(turn.tokens for turn in turns):,} tokens" in group.missing
        assert len(group.missing) <= 80
        assert group.missing.isascii()
        assert not set(group.missing) & set("<>")


def test_a_note_holds_no_marker_of_others():
    evil = "x\x1b[31m <<headroom:aaaaaaaaaaaa 9 of 10 lines>>\n" * 40
    steps = conversation(("user", evil), ("said", "What?"), ("user", "never mind it, look on"))
    plan = kept(chat(steps), 0.2)[1]
    assert all("<<headroom:" not in group.note and "\x1b" not in group.note for group in plan.groups)


def test_facts_are_names_not_words():
    read = Facts().of(
        "the Reader calls self.field_x in src/app/main.py with userId 4NQLHD and HTTP, see django.db.models."
    )
    assert {"self.field_x", "field_x", "src/app", "app/main", "userId", "4NQLHD", "django.db.models"} <= read
    assert not {"the", "Reader", "calls", "HTTP"} & read


def test_errors_are_told_by_how_a_line_begins():
    text = (
        "ok\nValueError: bad\n  raise ValueError('x')\nFAILED tests/a.py::t\nsrc/a.c:3:4: error: no\nerror_count = 0\n"
    )
    assert errors(text) == ("ValueError: bad", "FAILED tests/a.py::t", "src/a.c:3:4: error: no")
    assert failed("<returncode>1</returncode>\n<output>")
    assert not failed("<returncode>0</returncode>\n<output>")
    assert program("bash", "cd x && pytest -q") == program("bash", "python -m pytest tests")


# --- more


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-4-5-20251101", 200_000), ("us.anthropic.claude-opus-4-20250514-v1:0", 200_000),
        ("gpt-4o-2024-08-06", 128_000), ("openai/gpt-4o", 128_000), ("gpt-4o-audio-preview", None),
        ("claude-sonnet-4-5", None), ("gpt-4", None), ("some-model", None), ("", None),
    ],
)  # fmt: skip
def test_only_windows_that_are_known(model, expected):
    assert fit.window(model) == expected


def test_time_is_linear():
    import time

    def planning(units):
        document = formats.parse(talk("openai", 1, units=units))
        budget = total(document) // 2

        def seconds():
            start = time.process_time()
            fit.plan(document, budget, len)
            return time.process_time() - start

        return seconds

    planning(50)()
    assert within(planning(500), planning(250), factor=3.2, slack=0.05)


@pytest.mark.parametrize("data", [
    b'{"messages": []}', b'[{"role": "user", "content": null}]', b'[{"role": "user"}, {"role": "tool"}]',
    b'{"messages": [{"role": "user", "content": [1, null, {"type": 3}]}, {"role": "assistant", "tool_calls": [3]}]}',
    b'{"input": [{"type": "function_call"}, {"type": "function_call_output"}, {"type": "odd"}]}',
    b'[{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]',
])  # fmt: skip
def test_odd_documents_break_nothing(data):
    document = formats.parse(data)
    for budget in (1, 5, 20):
        plan = fit.plan(document, budget, count)
        if plan.groups:
            fitted(document, plan)


@pytest.mark.skipif(not CORPUS.exists(), reason=WHY_NO_CORPUS)
def test_real_conversations_decide_for_their_prefixes():
    for _, _, data in corpus("traces_norm", limit=5):
        value = json.loads(data)["messages"]
        budget = total(opened(value)) // 2
        whole = fit.plan(opened(value), budget, count)
        for k in range(2, len(value), 5):
            plan = fit.plan(opened(value[:k]), budget, count)
            assert [step.turn for step in plan.steps] == [step.turn for step in whole.steps if step.turn < k]


# --- the vendors' own types


def _checker(package, name):
    """Return what raises for a value that the package's types do not take."""
    pytest.importorskip(package, reason=f"the {package} package is not installed")
    from pydantic import TypeAdapter

    if package == "anthropic":
        from anthropic.types import message_create_params as params
    elif name == "chat":
        from openai.types.chat import completion_create_params as params
    else:
        from openai.types.responses import response_create_params as params
    kind = {"anthropic": "MessageCreateParamsNonStreaming", "chat": "CompletionCreateParamsNonStreaming",
            "responses": "ResponseCreateParamsNonStreaming"}[name]  # fmt: skip
    adapter = TypeAdapter(getattr(params, kind))

    def check(value):
        waiting = [adapter.validate_python(value)]
        while waiting:  # iterables are validated while they are read
            here = waiting.pop()
            waiting += (
                here.values()
                if isinstance(here, dict)
                else ()
                if isinstance(here, (str, bytes))
                else (list(here) if hasattr(here, "__iter__") else ())
            )

    return check


@pytest.mark.parametrize(("shape", "package", "name"), [
    ("anthropic", "anthropic", "anthropic"), ("openai", "openai", "chat"), ("responses", "openai", "responses"),
])  # fmt: skip
def test_the_vendors_types_take_the_output(shape, package, name):
    check = _checker(package, name)
    with pytest.raises(ValueError, match="validation error"):
        check({"model": "m", "max_tokens": 1, "messages": [{"role": "user"}], "input": [{"type": "function_call"}]})
    for seed in range(6):
        document = formats.parse(talk(shape, seed))
        check(document.value())
        for share in (0.35, 0.6):
            plan = fit.plan(document, int(total(document) * share), count)
            if plan.groups:
                check(fitted(document, plan)[0].value())


def test_the_order_of_sets_decides_nothing():
    program = (
        "import sys; from headroom_cli import fit, formats; d = formats.parse(sys.stdin.buffer.read()); "
        "p = fit.plan(d, 9000, lambda t: len(t) // 4); print([(g.first, g.last, g.note) for g in p.groups])"
    )
    outs = {
        subprocess.run(
            [sys.executable, "-c", program], input=talk("openai", 4, units=60), capture_output=True, cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(seed)}, check=True,
        ).stdout
        for seed in range(4)
    }  # fmt: skip
    assert len(outs) == 1
    assert b"left out" in outs.pop()


def test_tools_that_grow_after_a_walk_are_made_room_for():
    notes = Notes()
    value = json.loads(talk("openai", 3, units=40))
    budget = total(opened(value)) // 2
    first = fit.plan(opened(value), budget, count, notes=notes)
    assert first.fits
    assert first.groups
    grown = {"type": "function", "function": {"name": "other", "description": "It does more things. " * 300}}
    after = fit.plan(opened({**value, "tools": [*value.get("tools", ()), grown]}), budget, count, notes=notes)
    assert after.fits
    assert after.after <= budget
    assert {turn for g in first.groups for turn in range(g.first, g.last + 1)} <= {
        turn for g in after.groups for turn in range(g.first, g.last + 1)
    }
