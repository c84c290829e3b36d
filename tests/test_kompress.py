"""Models that rate words: the loader against a plain way to do the same, what never goes, and what becomes of prose."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import clean_environment
from hypothesis import given, settings
from hypothesis import strategies as st
from kompress_models import onnx_bytes, score_of, tokenizer_json, write_model

from headroom_cli import engine, library, tokens
from headroom_cli.compressors import prose
from headroom_cli.compressors.prose import learned
from headroom_cli.compressors.prose.units import Units
from headroom_cli.errors import ConfigError, NotUsableError
from headroom_cli.kompress import find, runtime
from headroom_cli.kompress.choose import order
from headroom_cli.kompress.protect import bare
from headroom_cli.kompress.runtime import Model, Rater
from headroom_cli.model import LOSSY, Policy, Want
from headroom_cli.settings import resolve
from headroom_cli.store import Store

SUBJECTS = (
    "the scheduler", "a worker", "the cache", "every client", "the parser", "this module", "the gateway", "an index",
    "the planner", "a session", "the importer", "our queue", "the exporter", "a mirror", "the resolver", "its journal",
)  # fmt: skip
ENDINGS = (
    "in the usual way of such systems", "with the help of a small table", "as the people who wrote it once described",
    "on the side of the larger machine", "for the sake of those that come later", "at the end of a long working day",
)  # fmt: skip
VERBS = ("collects", "forwards", "rewrites", "inspects", "measures", "compares", "arranges", "translates")


def made_prose(count=90):
    """Return an English text of so many sentences, each with a fact of its own, in paragraphs with headings."""
    said = ["# How it works", ""]
    for number in range(count):
        subject, verb = SUBJECTS[number % len(SUBJECTS)], VERBS[(number * 5) % len(VERBS)]
        fact = f"`task_{number}`" if number % 3 == 0 else f"{number + 11} records"
        sentence = f"{subject} {verb} {fact} from the list of things {ENDINGS[(number * 7) % len(ENDINGS)]}."
        said.append(sentence[0].upper() + sentence[1:])
        if number % 6 == 5:
            said.append("")
        if number % 30 == 29:
            said += [f"## Part {number}", ""]
    return "\n".join(said) + "\n"


PROSE = made_prose()
VOCABULARY = sorted(set(re.findall(r"\w+|[^\w\s]+", PROSE)))


def low_for_small_words(token):
    """Rate short words lower: the model that these tests load."""
    return 0.05 + 0.1 * len(token) if token.isalpha() and token.islower() and len(token) < 8 else 0.95


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Write a model that rates small words low; return its folder."""
    return write_model(tmp_path_factory.mktemp("small"), VOCABULARY, score=low_for_small_words)


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Write a model with small chunks and few tokens each, whose scores look random; return its folder."""
    config = {"chunk_words": 20, "max_length": 30}
    return write_model(tmp_path_factory.mktemp("odd"), VOCABULARY, config=config)


def plainly(folder, words, chunk, length):
    """Return the scores as the words on a model's page say it: chunk by chunk, token by token."""
    known = json.loads(Path(folder, "tokenizer.json").read_text())["model"]["vocab"]
    found = []
    for at in range(0, len(words), chunk):
        room = length - 2  # [CLS] and [SEP]
        for word in words[at : at + chunk]:
            best = None
            for token in re.findall(r"\w+|[^\w\s]+", word):
                if room:
                    room -= 1
                    score = score_of(token if token in known else "[UNK]")
                    best = score if best is None else max(best, score)
            found.append(1.0 if best is None else best)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*VOCABULARY, "unknown", "a,b", "(the", "x.y.z", "\u200b"]), max_size=90))
def test_scores_are_those_of_the_plain_way(odd, words):
    assert _LOADED.setdefault(odd, Model(odd)).scores(words) == pytest.approx(plainly(odd, words, 20, 30), abs=1e-6)


_LOADED = {}


def test_a_long_text_is_rated_in_published_chunks(tmp_path):
    folder = write_model(tmp_path / "m", VOCABULARY)
    words = PROSE.split()
    assert len(words) > 2 * runtime.CHUNK_WORDS
    assert Model(folder).scores(words) == pytest.approx(plainly(folder, words, 350, 512), abs=1e-6)


def test_words_beyond_the_last_token_stay(odd):
    words = ["a.a.a.a.a"] * 20  # nine tokens each, 28 in all
    scores = Model(odd).scores(words)
    assert scores[4:] == [1.0] * 16
    assert max(scores[:3]) < 1


@pytest.mark.parametrize("special", [True, False])
def test_a_tokenizer_with_or_without_special_tokens(tmp_path, special):
    folder = write_model(tmp_path / "m", ["alpha", "beta"], special=special)
    assert Model(folder).scores(["alpha", "beta"]) == pytest.approx([score_of("alpha"), score_of("beta")], abs=1e-6)


def test_published_names_come_in_their_order(tmp_path):
    for name in ("onnx/kompress-int8.onnx", "onnx/kompress-fp32.onnx", "onnx/kompress-int8-wo.onnx"):
        folder = write_model(tmp_path / "m", ["alpha"], name=name)
        assert find.find(folder).model == f"{folder}/{name}"  # each newer one is before the others
    assert find.find(write_model(tmp_path / "n", ["alpha"], name="my.onnx")).model.endswith("my.onnx")


def test_what_is_wrong_with_a_model_is_said(tmp_path):
    good = write_model(tmp_path / "good", ["alpha"])
    cases = {
        "no model": {"tokenizer.json": b"{}"},
        "tokenizer cannot be read": {"model.onnx": b"", "tokenizer.json": b"{}"},
        "cannot be loaded": {"model.onnx": b"no model", "tokenizer.json": tokenizer_json(["a"]).encode()},
        "models of this kind take attention_mask, input_ids and give final_scores": {
            "model.onnx": onnx_bytes([0.5] * 4, inputs=("ids", "mask")),
            "tokenizer.json": tokenizer_json(["a"]).encode(),
        },
        "gives logits": {
            "model.onnx": onnx_bytes([0.5] * 4, output="logits"), "tokenizer.json": tokenizer_json(["a"]).encode(),
        },
    }  # fmt: skip
    for number, (said, files) in enumerate(cases.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        with pytest.raises(NotUsableError, match=said):
            Model(str(folder)).load()
    (tmp_path / "good/model.onnx").write_bytes(onnx_bytes([0.5, float("nan"), 0.5, 0.5]))
    with pytest.raises(NotUsableError, match="one score per token"):
        Model(good).scores(["alpha"])
    (tmp_path / "good/model.onnx").write_bytes(onnx_bytes([0.5]))  # a table that is too short
    with pytest.raises(NotUsableError, match="cannot rate a text"):
        Model(good).scores(["alpha"])


@pytest.mark.parametrize("name", ["nobody/nothing", "kompress-v9", "./absent", "/absent", "~/absent", "a b"])
def test_a_model_that_is_not_here_says_what_to_do(name, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotUsableError, match=r"pull|use|name") as told:
        find.find(name)
    assert told.value.status == 78


def test_limits_in_words_and_seconds(small, monkeypatch):
    model = Model(small)
    with pytest.raises(NotUsableError, match="time"):
        model.scores(["a"], spent=lambda: True)
    monkeypatch.setattr(model, "most_words", 3)
    with pytest.raises(NotUsableError, match="more than 3 words"):
        model.scores(["a"] * 4)
    rater = Rater(small)
    rater._left = 0.0
    with pytest.raises(NotUsableError, match="time"):
        rater(["a"])
    assert rater.trouble == ""
    rater.begin()
    assert len(rater(["a"])) == 1


def test_another_threshold_is_brought_to_one_half(tmp_path):
    folder = write_model(tmp_path / "m", ["alpha", "beta"], score=lambda t: 0.8, config={"threshold": 0.8})
    assert Rater(folder)(["alpha"]) == pytest.approx([0.5], abs=1e-6)
    assert Rater(folder)([""]) == [1.0]


def test_settings_of_a_model_out_of_bounds_are_not_believed(tmp_path):
    config = {"chunk_words": -3, "max_length": "all", "most_words": 10**9, "threshold": 7}
    model = Model(write_model(tmp_path / "m", ["alpha"], config=config))
    assert (model._chunk, model._length, model.threshold) == (350, 512, 0.5)
    (tmp_path / "m/config.json").write_text("[" * 9000)
    assert Model(str(tmp_path / "m"))._chunk == 350


# --- the specialist


def want(**more):
    return Want(tokens.count, **more)


def test_sentences_and_words_go_and_what_stays_is_verbatim(small):
    plain, draft = prose.compress(PROSE, want()), prose.compress(PROSE, want(kompress=Rater(small)))
    assert draft.degree == LOSSY
    assert draft.text != plain.text
    assert tokens.count(draft.text) <= tokens.count(plain.text)
    sentences, gone = re.fullmatch(r"(\d+) of 90 sentences, (\d+) of \d+ words", draft.missing).groups()
    assert int(sentences) < int(plain.missing.split()[0])
    assert sum(map(int, re.findall(r"\[\.\.\.(\d+) words\]", draft.text))) == int(gone) > 0
    stays = iter(re.sub(r"\[\.\.\. ?\d+(?: \w+)?\]", " ", draft.text).split())
    following = next(stays)
    for word in PROSE.split():  # what stays is a subsequence of what was there
        if word == following:
            following = next(stays, None)
    assert following is None
    facts = set(re.findall(r"`\w+`|\d+ records", PROSE))
    assert {fact for fact in facts if fact in draft.text} >= {fact for fact in facts if fact in plain.text}


def test_no_line_is_left_empty_and_none_ends_in_a_blank(small):
    draft = prose.compress(PROSE, want(kompress=Rater(small)))
    assert not re.search(r"[ \t]\n", draft.text)
    assert "\n\n\n" not in draft.text
    for heading in re.findall("^#.*", PROSE, re.MULTILINE):
        assert heading in draft.text


def test_the_same_bytes_each_time(small):
    first = prose.compress(PROSE, want(kompress=Rater(small))).text
    assert all(prose.compress(PROSE, want(kompress=Rater(small))).text == first for _ in range(3))


def test_the_cover_answers_where_a_model_cannot():
    plain = prose.compress(PROSE, want())

    def refuse(_words):
        raise NotUsableError("no")

    answers = {
        "raises": refuse, "would keep all": lambda words: [0.9] * len(words),
        "rates all alike": lambda words: [0.2] * len(words),
        "has too few": lambda words: [0.1, 0.9],
    }  # fmt: skip
    for why, rate in answers.items():
        assert prose.compress(PROSE, want(kompress=rate)).text == plain.text, why


def test_never_at_safe_never_lossless_and_never_where_it_is_no_prose(small):
    asked = []

    def rate(words):
        asked.append(words)
        return Rater(small)(words)

    log = "".join(f"2026-01-01 00:00:{number:02d} INFO the worker is at the end of it\n" for number in range(50))
    code = "```\n" + "the call of the thing\n" * 60 + "```\n"
    for text, more in ((PROSE, {"level": "safe"}), (PROSE, {"lossless": True}), (log, {}), (code, {})):
        prose.compress(text, want(kompress=rate, **more))
    assert asked == []


def test_a_question_that_the_text_answers_is_the_covers(small):
    question = "Which client translates task_3 for the sake of those that come later?"
    plain = prose.compress(PROSE, want(question=question))
    assert prose.compress(PROSE, want(question=question, kompress=Rater(small))).text == plain.text
    other = want(question="Wie geht es dir?", kompress=Rater(small))
    assert " words" in prose.compress(PROSE, other).missing


def test_listings_tables_headings_and_the_words_of_failures_are_not_rated(small):
    told = []

    def rate(words):
        told.extend(words)
        return [low_for_small_words(bare(word)) for word in words]

    listed = "".join(f"- the yankee of item {number}\n" for number in range(30))
    columns = "".join(f"the xray {number}    is one of many   in the column of it.\n\n" for number in range(30))
    extra = (
        "\n## The zulu heading\n\n```\nthe quebec of the listing\n```\n\n"
        "| the tango | of it |\n|---|---|\n| a | b |\n\n"
        "The build ended with error: the sierra of the disk is full.\n"
    )
    prose.compress(PROSE + extra + listed + "\n" + columns, want(kompress=rate))
    assert told
    assert not {"zulu", "quebec", "tango", "sierra", "yankee", "xray"} & set(told)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_prose_stays_a_subsequence(data):
    sentences = PROSE.split("\n")
    text = "\n".join(data.draw(st.permutations(sentences))[:70])
    rate = data.draw(st.sampled_from([3, 5, 7]))
    draft = prose.compress(text, want(kompress=lambda words: [hash_of(word, rate) for word in words]))
    if draft is None:
        return
    stays = iter(re.sub(r"\[\.\.\. ?\d+(?: \w+)?\]", " ", draft.text).split())
    following = next(stays, None)
    for word in text.split():
        if word == following:
            following = next(stays, None)
    assert following is None


def hash_of(word, salt):
    return (sum(map(ord, word)) * salt % 101) / 100


@pytest.mark.parametrize("mode", [learned.BOTH, learned.ALONE])
def test_both_modes_keep_to_the_target(small, mode):
    plain = prose.cover(PROSE, want())
    draft = learned.compress(PROSE, want(kompress=Rater(small)), prose.cover, mode)
    assert tokens.count(draft.text) <= tokens.count(plain.text)


# --- the way there


def test_the_policy_is_part_of_what_a_rendering_is_known_by():
    old, new = Policy(), Policy(kompress="embedded")
    assert "kompress" not in old.identity(turns=True) + str(old.lasting())
    assert new.identity(turns=True) == old.identity(turns=True) + "\tkompress=embedded"
    assert Policy().as_begun(new.lasting()).kompress == "embedded"
    assert new.as_begun(old.lasting()).kompress == ""
    assert new.redeemed("none").kompress == "embedded"


def talk(text):
    return [
        {"role": "user", "content": "what does it do?"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path": "notes.md"}'}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": text},
    ]  # fmt: skip


def test_a_tool_result_is_shortened_by_words_and_comes_back(small, tmp_path):
    store = Store(str(tmp_path / "store"))
    made = library.compress(talk(PROSE), level="balanced", store=store, kompress=small)
    assert made.warnings == []
    shown = made.messages[2]["content"]
    assert re.search(r"<<headroom:\w+ \d+ of 90 sentences, \d+ of \d+ words>>", shown)
    assert library.retrieve(made.handles[0], store=store).decode() == PROSE
    again = library.compress(talk(PROSE), level="balanced", store=store, kompress=small)
    assert again.messages == made.messages
    plain = library.compress(talk(PROSE), level="balanced", store=store)
    assert " words>>" not in plain.messages[2]["content"]
    safe = library.compress(talk(PROSE), store=Store(str(tmp_path / "other")), kompress=small)
    assert safe.messages == talk(PROSE)


def test_what_comes_after_changes_nothing_of_what_came_before(small, tmp_path):
    turns = [
        *talk(PROSE),
        {"role": "assistant", "content": "so that is it"},
        *talk(made_prose(70).replace("task", "job")),
    ]
    whole = library.compress(turns, level="balanced", store=str(tmp_path / "a"), kompress=small).messages
    assert sum(" words>>" in str(turn["content"]) for turn in whole) == 2
    for end in range(1, len(turns)):
        part = library.compress(turns[:end], level="balanced", store=str(tmp_path / f"b{end}"), kompress=small)
        assert part.messages == whole[:end]


def test_what_was_shortened_is_not_shortened_again(small, headroom):
    once = headroom("crush", "-q", "--kompress", small, stdin=PROSE.encode()).stdout
    assert headroom("crush", "-q", "--kompress", small, stdin=once).stdout == once


def unlike(number):
    """Return a word that no other number gives."""
    return "".join(chr(97 + number // 26**place % 26) for place in range(4))


def test_each_note_counts_the_words_that_went_since_the_last():
    lines = []
    for number in range(24):
        if number % 8 == 0:
            lines += ["", f"## Part {number}", ""]
        words = [unlike(20 * number + at) for at in range(20)]
        lines += [" ".join(words[:10]).capitalize() + ".", " ".join(words[10:]).capitalize() + "."]
        lines += [""] * (number % 2)
    text = "\n".join(lines)
    words = learned._Words(text, Units(text))
    shorter, total = words.without(order(words.texts, [hash_of(word, 7) for word in words.texts], words.starts))
    source = iter(text.split())
    gone = noted = 0
    for word in re.sub(r"\[\.\.\.(\d+) words\]", r"[...\1", shorter).split():
        if word.startswith("[..."):
            assert int(word[4:]) == gone
            noted += gone
            gone = 0
            continue
        while next(source) != word:
            gone += 1
    assert (gone, noted) == (0, total)
    assert total > 100


def test_the_users_own_words_stay(small, tmp_path):
    messages = [{"role": "user", "content": PROSE}, {"role": "assistant", "content": PROSE}]
    made = library.compress(messages, level="max", store=str(tmp_path / "store"), kompress=small)
    assert made.messages == messages


def test_a_model_that_is_not_here_is_an_error_of_the_caller(tmp_path):
    with pytest.raises(ConfigError, match="absent"):
        library.compress(talk(PROSE), store=str(tmp_path / "store"), kompress=str(tmp_path / "absent"))


def test_a_model_that_cannot_be_loaded_costs_one_warning(small, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/model.onnx").write_bytes(b"no model")
    (tmp_path / "bad/tokenizer.json").write_text(tokenizer_json(["a"]))
    store = str(tmp_path / "store")
    made = library.compress(talk(PROSE) * 2, level="balanced", store=store, kompress=str(tmp_path / "bad"))
    assert len(made.warnings) == 1
    assert "cannot be loaded" in made.warnings[0]
    assert " sentences>>" in made.messages[2]["content"]


def test_without_the_libraries_prose_is_shortened_by_sentences(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(runtime, "_models", {})
    made = library.compress(talk(PROSE), level="balanced", store=str(tmp_path / "store"), kompress=small)
    assert made.warnings == [f"{runtime.MISSING}; prose was shortened by whole sentences"]
    assert "pip install 'headroom-cli[ml]'" in runtime.MISSING
    assert " sentences>>" in made.messages[2]["content"]


def test_a_raw_text_by_the_command_and_by_the_variable(small, headroom):
    done = headroom("crush", "--kompress", small, stdin=PROSE.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert b" words>>" in done.stdout
    same = headroom("route", "-q", stdin=PROSE.encode(), env={"HEADROOM_KOMPRESS_MODEL": small})
    assert same.stdout == done.stdout
    back = headroom("retrieve", "--expand", "-q", stdin=done.stdout)
    assert back.stdout.decode() == PROSE
    told = headroom("crush", "--kompress", "absent", stdin=PROSE.encode())
    assert (told.returncode, told.stdout) == (78, b"")
    assert b"absent" in told.stderr


def test_a_budget_is_kept(small, tmp_path):
    policy = Policy(budget=700, kompress=small)
    made = engine.crush(PROSE.encode(), policy, Store(str(tmp_path / "store")), form="raw")
    assert tokens.count(made.data.decode()) <= 735
    assert b" words>>" in made.data


def test_no_filter_imports_the_libraries_unasked(headroom, small):
    program = (
        "import sys\nfrom headroom_cli.cli.main import main\nmain(['crush', '-q', *sys.argv[1:]])\n"
        "print(*(name in sys.modules for name in ('onnxruntime', 'tokenizers', 'numpy', 'httpx')), file=sys.stderr)\n"
    )
    for flags, loaded in (((), "False False False False"), (("--kompress", small), "True True True False")):
        done = subprocess.run(
            [sys.executable, "-c", program, *flags], input=PROSE.encode(), capture_output=True,
            env=clean_environment(Path(small)), timeout=60,
        )  # fmt: skip
        assert done.stderr.decode().split("\n")[-2] == loaded


def test_the_setting_is_there():
    assert resolve({"kompress": "embedded"}, {}).kompress == "embedded"
    assert resolve({}, {"HEADROOM_KOMPRESS_MODEL": "embedded"}).kompress == "embedded"
    assert resolve({}, {}).kompress == ""
