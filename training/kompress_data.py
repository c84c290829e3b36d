"""What the embedded prose model learns from: texts whose licence allows it, and labels that the texts give themselves.

Five sources, each a soft label in 0..1 per word and a weight:

    later     words of tool outputs, issues and policies that a later action or answer of the same trace uses again
    repeated  words of a paragraph that a heading, a link, emphasis, or another section of the same document repeats
    code      words of a comment or docstring that the code beside it uses in its identifiers
    title     words of a section, an issue or a commit message that its title uses
    aside     words that their writer did not set apart as a remark (kompress_asides.py); the marks are taken away

A word that nothing repeats is weak evidence when it is rare: it weighs less than a common one. Function words, which
everything repeats, take the label of what they stand among, and every label is mixed with its clause's: so that what is
learned is which phrases matter, not which words are common. Protected words (numbers, names, negations, code;
``headroom_cli.kompress.protect``) stay whatever a model says, so they count for little.
"""

import collections
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path

from kompress_asides import marked

from headroom_cli.compressors.prose.blocks import HEAD, ITEM, TERM, TEXT, Scanner
from headroom_cli.compressors.prose.facts import STOP
from headroom_cli.compressors.prose.relevance import stem
from headroom_cli.compressors.prose.sentences import split
from headroom_cli.kompress.protect import NEVER, protected

LICENCES = frozenset((
    "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT OR Apache-2.0", "MIT OR Unlicense", "Unlicense", "ISC",
))  # fmt: skip
SOURCES = ("later", "repeated", "code", "title", "aside")
HELD = 20  # of 100 source groups of each kind are held back to see whether training helps
MOST = 220  # words of a row
FEWEST = 8
RARE = 0.25  # what a rare word that nothing repeats weighs
HELD_WEIGHT = 0.3  # what a protected word weighs
MIXED = 0.4  # how much of a label is its clause's
TRUST = {"later": 0.5, "repeated": 0.5, "code": 0.5, "title": 0.5, "aside": 2.0}  # what a row of a source weighs
LEAST = 0.3  # between the lowest and the highest label of a row that teaches anything
COMMON = 0.002  # a word is common when it is more than this share of all words

_INNER = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])|\d+")
_LINKED = re.compile(r"\[([^\]\n]{2,120})\]\(|\*\*([^*\n]{2,120})\*\*|`{1,2}([^`\n]{2,80})`|__([^_\n]{2,120})__")
_COMMENT = re.compile(r"^[ \t]*(?:///?!?|#(?!!)|\*(?!/)|--|;;)[ \t]?(.*)$")
_DOCSTRING = re.compile(r'"""(.{20,4000}?)"""', re.DOTALL)
_LETTERS = re.compile(r"[a-z][a-z'\u2019-]*[,.;:]?")


def licensed(row):
    """Tell whether a row of the manifest states a licence that lets weights trained on it be given away."""
    return row.get("licence") in LICENCES


def held_back(group):
    """Tell whether a source group is held back."""
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % 100 < HELD


def inner(text):
    """Return the stems of all words of a text, those inside identifiers too."""
    return {stem(word.lower()) for word in _INNER.findall(text)} - STOP


def stem_of(word):
    """Return the stem of a word between blanks without its punctuation; "" for one that says nothing by itself."""
    bare = word.strip("()[]{}<>,.;:!?\"'\u201c\u201d\u2018\u2019*_`").lower()
    return "" if bare in STOP or len(bare) < 3 else stem(bare)


class Rows:
    """Rows as they are found: words, soft labels, weights, source, group; equal texts share one row."""

    def __init__(self):
        """Start with none."""
        self._found = {}

    def add(self, source, group, words, starts, wanted):
        """Add a paragraph; ``wanted`` maps stems to how surely they are wanted (0..1)."""
        if len(words) < FEWEST:
            return
        for first, last in pairwise([*starts, len(words)]):
            aside = marked(words[first:last])
            if aside is not None:
                self._found[("aside", tuple(aside[0]))] = (group, bytes(len(aside[0])), [aside[1]])
        for first in range(0, len(words), MOST):
            part = words[first : first + MOST]
            if len(part) < FEWEST:
                continue
            begins = [at - first for at in starts if first <= at < first + MOST] or [0]
            held = protected(part, begins)
            own = [wanted.get(stem_of(word), 0.0) if stem_of(word) else None for word in part]
            labels = [max(0.5, label) if h == NEVER else label for label, h in zip(mixed(part, own), held, strict=True)]
            known = self._found.setdefault((source, tuple(part)), (group, held, []))
            known[2].append(labels)

    def finished(self):
        """Return [(words, labels, weights, source number, group)]; labels of equal texts are averaged."""
        counts = collections.Counter(stem_of(word) for _, words in self._found for word in words)
        total = sum(counts.values())
        rows = []
        for (source, words), (group, held, many) in self._found.items():
            labels = [sum(column) / len(many) for column in zip(*many, strict=True)]
            if max(labels) - min(labels) < LEAST:
                continue  # nothing to tell apart
            weights = [
                HELD_WEIGHT
                if h == NEVER
                else TRUST[source]
                * (1.0 if label > MIXED or not stem_of(word) or counts[stem_of(word)] > COMMON * total else RARE)
                for word, label, h in zip(words, labels, held, strict=True)
            ]
            if source == "aside":
                weights = [TRUST[source]] * len(words)
            rows.append((list(words), labels, weights, SOURCES.index(source), group))
        return rows


def mixed(words, own):
    """Return a label per word: its own mixed with its clause's; function words (None) take their neighbours'."""
    labels, first = [], 0
    for at, word in enumerate(words):
        if word[-1:] not in ",;:.!?)" and at + 1 < len(words):
            continue
        clause = own[first : at + 1]
        known = [(place, label) for place, label in enumerate(clause) if label is not None]
        mean = sum(label for _, label in known) / len(known) if known else 0.0
        for place, label in enumerate(clause):
            value = label
            if label is None:
                before = next((seen for spot, seen in reversed(known) if spot < place), None)
                after = next((seen for spot, seen in known if spot > place), None)
                sides = [side for side in (before, after) if side is not None]
                value = sum(sides) / len(sides) if sides else mean
            labels.append((1 - MIXED) * value + MIXED * mean)
        first = at + 1
    return labels


def paragraphs(text):
    """Yield (kind, text, words, sentence starts) of the sentences and headings of a prose text, block by block."""
    for kind, start, words_at, stop, _ in Scanner(text).scan():
        if kind in (TEXT, ITEM):
            words, starts = [], []
            bounds = [*split(text, words_at, stop), stop]
            for first, last in pairwise(bounds):
                starts.append(len(words))
                words += text[first:last].split()
            yield kind, text[words_at:stop], words, starts
        elif kind in (HEAD, TERM):
            yield kind, text[start:stop], text[words_at:stop].split(), [0]


def is_prose(line):
    """Tell whether a line is mostly plain words."""
    words = line.split()
    return len(words) >= 5 and sum(bool(_LETTERS.fullmatch(word)) for word in words) >= 0.6 * len(words)


def stretches(text):
    """Yield the words of every run of lines that are mostly plain words: in code views, logs, pages and policies."""
    run = []
    for line in [*text.splitlines(), ""]:
        bare = re.sub(r"^\s*\d{1,6}[:\t|]?\s?", "", line)
        match = _COMMENT.match(bare)
        bare = match[1] if match else bare
        if is_prose(bare):
            run += bare.split()
        elif run:
            yield run
            run = []


def starts_of(words):
    """Return the numbers of the words that seem to begin a sentence."""
    return [0, *(at for at in range(1, len(words)) if words[at - 1][-1] in ".!?" and words[at][:1].isupper())]


def later(rows, group, messages):
    """Add what later actions and answers of a trace reuse of its outputs, issues and policies."""
    texts = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            content = "\n".join(part.get("text") or "" for part in content if isinstance(part, dict))
        calls = json.dumps(message.get("tool_calls"), ensure_ascii=False) if message.get("tool_calls") else ""
        texts.append((message.get("role"), (content or "") + "\n" + calls))
    used = collections.Counter()  # stem -> in how many later messages of the assistant
    for role, text in reversed(texts):
        if role == "assistant":
            used.update(inner(text))
            continue
        wanted = {name: 1.0 if times <= 6 else 0.6 for name, times in used.items()}
        for words in stretches(text):
            rows.add("later", group, words, starts_of(words), wanted)


def repeated(rows, group, text):
    """Add what the headings, links and other sections of a document repeat of each paragraph, and its own heading."""
    blocks = list(paragraphs(text))
    pointed = set()
    for kind, raw, *_ in blocks:
        pointed |= inner(raw) if kind in (HEAD, TERM) else inner(" ".join(map("".join, _LINKED.findall(raw))))
    section, sections, spread = 0, [], collections.defaultdict(set)
    for kind, raw, *_ in blocks:
        section += kind == HEAD
        sections.append(section)
        for name in inner(raw):
            spread[name].add(section)
    many = max(3, 0.4 * (section + 1))
    heading, here = set(), -1
    for (kind, raw, words, starts), section in zip(blocks, sections, strict=True):
        if kind in (HEAD, TERM):
            heading = inner(raw) if section != here or kind == TERM else heading | inner(raw)
            here = section
            continue
        wanted = {name: 0.7 for name in inner(raw) if 1 < len(spread[name]) <= many}
        wanted |= dict.fromkeys(pointed, 1.0)
        rows.add("repeated", group, words, starts, wanted)
        if heading & inner(raw):
            rows.add("title", group, words, starts, dict.fromkeys(heading, 1.0))


def code(rows, group, text):
    """Add what the code below and around a comment or docstring uses of its words."""
    for match in _DOCSTRING.finditer(text):
        near = inner(text[max(0, match.start() - 400) : match.start()] + text[match.end() : match.end() + 1500])
        words = match[1].split()
        if sum(map(is_prose, match[1].splitlines())) * 2 >= match[1].count("\n"):
            rows.add("code", group, words, starts_of(words), dict.fromkeys(near, 1.0))
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        words, first = [], at
        while at < len(lines) and (match := _COMMENT.match(lines[at])):
            if is_prose(match[1]):
                words += match[1].split()
            at += 1
        if words:
            near = inner("\n".join([*lines[max(0, first - 3) : first], *lines[at : at + 30]]))
            rows.add("code", group, words, starts_of(words), dict.fromkeys(near, 1.0))
        at += 1


def titles(rows, group, text):
    """Add what the first line of a commit message uses of the rest."""
    for match in re.finditer(r"^Date: .*\n\n((?:    .*\n|\n)+)", text, re.MULTILINE):
        title, _, rest = match[1].replace("\n    ", "\n").strip().partition("\n")
        words = [word for line in rest.splitlines() if is_prose(line) for word in line.split()]
        rows.add("title", group, words, starts_of(words), dict.fromkeys(inner(title), 1.0))


def collect(corpus):
    """Return (training rows, held-back rows, {licence: texts used}) of a corpus folder with MANIFEST.jsonl."""
    rows, used = Rows(), collections.Counter()
    manifest = (Path(corpus) / "MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()
    for entry in map(json.loads, manifest):
        if not licensed(entry) or entry["kind"] not in ("traces_norm", "prose", "code", "diff"):
            continue
        text = (Path(corpus) / entry["path"]).read_text(encoding="utf-8", errors="replace")
        group = f"{entry['kind']} {entry['group']}"
        used[entry["kind"], entry["licence"]] += 1
        if entry["kind"] == "traces_norm":
            later(rows, group, json.loads(text)["messages"])
        elif entry["kind"] == "prose":
            repeated(rows, group, text)
        elif entry["kind"] == "code":
            code(rows, group, text)
        else:
            titles(rows, group, text)
    parts = [], []
    for row in rows.finished():
        parts[held_back(row[4])].append(row)
    return *parts, dict(used)
