"""Search results: what is grouped reads back, every file stays named, definitions and errors stay, counts are true."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import CORPUS, WHY_NO_CORPUS, corpus

from headroom_cli.compressors import load
from headroom_cli.compressors.search.cropping import crop
from headroom_cli.compressors.search.lines import DEFINITION_LINE, is_error, telling
from headroom_cli.compressors.search.pattern import literals, searched
from headroom_cli.model import EXACT, FAITHFUL, LOSSY, Draft, Hint, Want
from headroom_cli.tokens import count

SEARCH = load("search")
RG = "rg -n needle"


def compress(text: str, command: str = RG, **wants: object) -> Draft | None:
    return SEARCH.compress(text, Want(count, hint=Hint(command=command), **wants))  # type: ignore[arg-type]


def faithful(text: str, command: str = RG) -> str:
    draft = compress(text, command, lossless=True)
    assert draft is not None
    assert draft.degree in (EXACT, FAITHFUL)
    return draft.text


def decode(text: str, *, rows: str) -> list[tuple[str, str, str]]:
    """Read the grouped form: (path, label and mark, text) of each row in its first order; ("", "", line) for others.

    ``rows`` says what a row looks like: "12 text", "12:text" (with context), " text" (no numbers), or "12 text"
    without any heading ("single"). Written from the description of the form alone.
    """
    shape = {
        "12 text": r"(\d+(?::\d+)?(?:,\d+(?::\d+)?)*)( )(.*)",
        "12,15:text": r"(\d+(?:,\d+)*)(:)(.*)",
        "12:text": r"(\d+)([: =])(.*)",
        " text": r"()( )(.*)",
        "single": r"(\d+(?:,\d+)*)( )(.*)",
    }[rows]
    row = re.compile(shape, re.DOTALL)
    lines = text.removesuffix("\n").split("\n")
    out: list[tuple[str, str, str]] = []
    at = 0
    while at < len(lines):
        path = ""
        if rows != "single":
            heading = at + 1 < len(lines) and lines[at] and not row.match(lines[at]) and row.match(lines[at + 1])
            if not heading:
                if lines[at]:
                    out.append(("", "", lines[at]))
                at += 1
                continue
            path = lines[at]
            at += 1
        elif not row.match(lines[at]):
            out.append(("", "", lines[at]))
            at += 1
            continue
        group: list[tuple[tuple[int, int], tuple[str, str, str]]] = []
        folded = False
        while at < len(lines) and (match := row.match(lines[at])):
            folded = folded or "," in match[1]
            for label in match[1].split(","):
                number, _, column = label.partition(":")
                place = (int(number or 0), int(column or 0))
                group.append((place, (path, label + match[2], match[3])))
            at += 1
        if folded:
            group.sort(key=lambda pair: pair[0])
        out += [found for _, found in group]
    return out


# Pieces that a careless parser takes for something else.
PATHS = (
    "a.py",
    "src/b-3-c.py",
    "C:\\dir\\d.cs",
    "HEAD:lib/e.rb",
    "my file.txt",
    "./-12-f",
    "2024-01-02-post.md",
    "x:y/z.c",
)
TEXTS = (
    "",
    " ",
    "x = 1",
    "    return None",
    "b.py:3:text",
    "-7-",
    "12 monkeys",
    "a.py",
    "--",
    "[... 3 matches]",
    "\u6f22:1:",
    "\t",
    "d.cs:4-5",
    "end ",
    "1,2 z",
    "\x0b",
    "\u2028 odd",
)

files = st.lists(
    st.tuples(
        st.sampled_from(PATHS),
        st.lists(st.tuples(st.integers(1, 3), st.sampled_from(TEXTS)), min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=5,
)


def numbered(found: list[tuple[str, list[tuple[int, str]]]]) -> list[tuple[str, int, str]]:
    """Turn gaps between line numbers into numbers that rise within a file."""
    out = []
    for path, rows in found:
        number = 0
        for gap, text in rows:
            number += gap
            out.append((path, number, text))
    return out


@settings(deadline=None)
@given(files)
def test_lines_read_back(found: list[tuple[str, list[tuple[int, str]]]]) -> None:
    records = numbered(found)
    text = "".join(f"{path}:{number}:{line}\n" for path, number, line in records)
    draft = compress(text, lossless=True)
    if draft is None:
        return
    # A path that ends elsewhere than we think makes another heading, and the same line.
    assert [f"{path}:{label[:-1]}:{line}" for path, label, line in decode(draft.text, rows="12 text")] == text.split(
        "\n"
    )[:-1]


@settings(deadline=None)
@given(files, st.integers(0, 2))
def test_context_reads_back(found: list[tuple[str, list[tuple[int, str]]]], every: int) -> None:
    lines = []
    before = ("", 0)
    for at, (path, number, line) in enumerate(numbered(found)):
        if before[0] and (path != before[0] or number > before[1] + 1):
            lines.append("--")
        before = (path, number)
        mark = ":" if at % 3 == every else "-"
        lines.append(f"{path}{mark}{number}{mark}{line}")
    draft = compress("\n".join(lines) + "\n", lossless=True)
    matched = {path for at, (path, _, _) in enumerate(numbered(found)) if at % 3 == every}
    aside = any(at % 3 != every for at in range(len(numbered(found))))
    if draft is None or not aside or matched != {path for path, _ in found}:
        return  # only beside a match is it known where the path of a context line ends
    marks = {":": ":", " ": "-", "=": "="}
    again = [
        f"{path}{marks[label[-1]]}{label[:-1]}{marks[label[-1]]}{line}" if label else line
        for path, label, line in decode(draft.text, rows="12:text")
    ]
    assert [line for line in again if line != "--"] == [line for line in lines if line and line != "--"]


@settings(deadline=None)
@given(files)
def test_files_without_numbers_read_back(found: list[tuple[str, list[tuple[int, str]]]]) -> None:
    text = "".join(f"{path}:{line}\n" for path, rows in found for _, line in rows)
    draft = compress(text, "grep -r needle .", lossless=True)
    if draft is None or not draft.text.startswith(tuple(PATHS)):
        return
    again = [f"{path}:{line}" if path else line for path, label, line in decode(draft.text, rows=" text")]
    if not re.search(r":\d+:", text):  # else it may be taken for the form with numbers
        assert again == [line for line in text.split("\n") if line]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([*TEXTS, *(f"a.py:{n}:x" for n in range(4)), "a.py", "3:x", "4-y", "  Line 5: z"]),
            st.text(max_size=12),
        ),
        max_size=14,
    )
)
def test_any_lines_keep_their_characters(lines: list[str]) -> None:
    # Whatever the lines are, nothing that could be seen goes: characters are those of the text, without separators.
    text = "\n".join(lines)
    draft = compress(text, lossless=True, asked=True)
    if draft is None:
        return
    for line in text.split("\n"):
        tail = re.split(r"[:=\0-]", line)[-1].strip()
        assert tail in draft.text
    assert draft.degree == FAITHFUL


LINES = """src/app/main.py:3:import needle
src/app/main.py:12:def use(needle):
src/app/main.py:14:    needle.run()
src/app/main.py:19:    needle.run()
src/app/other.py:7:needle = None
"""
GROUPED = """src/app/main.py
3 import needle
12 def use(needle):
14,19     needle.run()

src/app/other.py
7 needle = None
"""


def test_each_file_is_named_once_above_its_lines() -> None:
    assert faithful(LINES) == GROUPED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("windows newlines", LINES.replace("\n", "\r\n")),
        ("no last newline", LINES[:-1]),
        (
            "rg colours",
            re.sub(r"(?m)^(.*?):(\d+):(.*)$", "\x1b[0m\x1b[35m\\1\x1b[0m:\x1b[0m\x1b[32m\\2\x1b[0m:\\3", LINES),
        ),
        (
            "grep colours",
            re.sub(
                r"(?m)^(.*?):(\d+):(.*)$",
                "\x1b[35m\x1b[K\\1\x1b[m\x1b[K\x1b[36m\x1b[K:\x1b[m\x1b[K\x1b[32m\x1b[K\\2\x1b[m\x1b[K"
                "\x1b[36m\x1b[K:\x1b[m\x1b[K\\3",
                LINES,
            ),
        ),
        ("links", re.sub(r"(?m)^(.*?):(\d+)", "\x1b]8;;file://host/\\1\x1b\\\\\\1:\\2\x1b]8;;\x1b\\\\", LINES)),
        ("NUL behind the path", re.sub(r"(?m)^(.*?):", "\\1\0", LINES)),
    ],
)
def test_dress_makes_no_difference(name: str, text: str) -> None:
    expected = GROUPED[:-1] if name == "no last newline" else GROUPED
    assert faithful(text) == (expected.replace("\n", "\r\n") if name == "windows newlines" else expected)


def test_windows_and_revision_paths() -> None:
    text = "C:\\work\\a.py:12:x\nC:\\work\\a.py:14:y\nHEAD:src/b.c:3:z\nHEAD:src/b.c:9:q\n"
    assert faithful(text) == "C:\\work\\a.py\n12 x\n14 y\n\nHEAD:src/b.c\n3 z\n9 q\n"


def test_columns_stand_beside_the_number() -> None:
    text = "a/x.py:3:5:foo foo\na/x.py:3:9:foo foo\na/y.py:8:1:foo\n"
    assert faithful(text, "rg --vimgrep foo") == "a/x.py\n3:5,3:9 foo foo\n\na/y.py\n8:1 foo\n"


def test_context_is_told_from_matches() -> None:
    text = "lib/a-1.c-4-{\nlib/a-1.c:5:  needle();\nlib/a-1.c-6-}\n--\nlib/a-1.c-20-{\nlib/a-1.c:21:  needle(2);\n"
    text += "--\nlib/b.c=2=int main()\nlib/b.c:3:  needle(3);\n"
    assert faithful(text, "git grep -n -p -C1 needle") == (
        "lib/a-1.c\n4 {\n5:  needle();\n6 }\n20 {\n21:  needle(2);\n\nlib/b.c\n2=int main()\n3:  needle(3);\n"
    )


def test_one_file_needs_no_heading() -> None:
    text = "3:import needle\n14:    needle.run()\n19:    needle.run()\n"
    assert faithful(text, "grep -n needle main.py") == "3 import needle\n14,19     needle.run()\n"
    assert compress("3:import needle\n4:x\n", "cat notes") is None


def test_headings_stay_as_their_tool_writes_them() -> None:
    text = "src/a.py\n3:needle()\n9:needle()\n\nsrc/b.py\n1:import needle\n7:needle()\n"
    assert (
        faithful(text, "rg --heading -n needle") == "src/a.py\n3,9:needle()\n\nsrc/b.py\n1:import needle\n7:needle()\n"
    )


def test_tools_of_editors_and_agents() -> None:
    text = "Found 3 matches\n/w/a.py:\n  Line 3: x = needle\n  Line 9: y = needle\n\n/w/b.py:\n  Line 2: needle()\n"
    assert faithful(text, "") == "Found 3 matches\n/w/a.py:\n3:x = needle\n9:y = needle\n\n/w/b.py:\n2:needle()\n"


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        (
            (
                'Found 3 matches for pattern "needle" in path ".":\n---\nFile: src/a.ts\nL12: let needle;\n'
                "L40: needle();\n---\nFile: src/b.ts\nL7: needle\n---\n"
            ),
            (
                'Found 3 matches for pattern "needle" in path ".":\n---\nFile: src/a.ts\n12:let needle;\n40:needle();\n'
                "---\nFile: src/b.ts\n7:needle\n---\n"
            ),
        ),
        (
            "Found 3 matching lines\nsrc/a.ts\n  12:let needle;\n  13-}\n  40:needle();\nsrc/b.ts\n  7:needle\n",
            "Found 3 matching lines\nsrc/a.ts\n12:let needle;\n13 }\n40:needle();\nsrc/b.ts\n7:needle\n",
        ),
        (
            (
                '3 matches\n<match path="/w/a.ts" line=12>\nlet x;\n</match>\n<match path="/w/a.ts" line=40>\n'
                'needle(\n  1);\n</match>\n<match path="/w/b.ts" line=7>\nneedle\n</match>\n'
                '<match path="/w/c.ts" line=1>\n</match>\n'
            ),
            (
                "3 matches\n\n/w/a.ts\n12 let x;\n40 needle(\n41   1);\n\n/w/b.ts\n7 needle\n"
                '<match path="/w/c.ts" line=1>\n</match>\n'
            ),
        ),
        (
            'Found 2 matches for "needle" in /w/a.py:\nLine 12:needle()\nLine 15:needle(2)\nEnd of matches\n',
            'Found 2 matches for "needle" in /w/a.py:\n12:needle()\n15:needle(2)\nEnd of matches\n',
        ),
    ],
    ids=["File and L12", "indented", "match tags", "Line 12"],
)
def test_more_tools_of_editors_and_agents(text: str, grouped: str) -> None:
    assert faithful(text, "") == grouped


@pytest.mark.parametrize(
    "text",
    [
        "Agenda\n10:00 Arrival\n10:15 Welcome\n10:45 Break\nAfternoon\n13:00 Talks\n13:30 Questions\n",
        "# Title\nSome words: and more\n1. one\n2. two\nThe end of it.\n",
        "src/a.c:3:5: error: x undeclared\nsrc/a.c:9:1: warning: unused y\nmake: *** [all] Error 1\n",
        '{"total": 2, "matches": [{"path": "a.py", "line": 3}]}\n',
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert compress(text, "") is None
    assert SEARCH.sniff(text, Hint()) < 0.5


def test_lines_without_numbers() -> None:
    text = "src/a.py:import needle\nsrc/a.py:    needle()\nsrc/lib/b.py:needle = 2\n"
    assert (
        faithful(text, "grep -r needle src") == "src/a.py\n import needle\n     needle()\n\nsrc/lib/b.py\n needle = 2\n"
    )


def test_what_no_row_is_stays_where_it_stood() -> None:
    text = (
        "rg: gone.txt: No such file or directory (os error 2)\nsrc/a.py:3:needle\nsrc/a.py:5:needle()\n"
        "Binary file build/x.o matches\ngrep: lib: Is a directory\nsrc/a.py:8:needle(1)\nsrc/a.py:9:needle(2)\n"
        "[output truncated: 120 more lines]\n"
    )
    assert faithful(text) == (
        "rg: gone.txt: No such file or directory (os error 2)\n\nsrc/a.py\n3 needle\n5 needle()\n"
        "Binary file build/x.o matches\ngrep: lib: Is a directory\n\nsrc/a.py\n8 needle(1)\n9 needle(2)\n"
        "[output truncated: 120 more lines]\n"
    )


def test_statistics_behind_a_blank_line_are_no_rows() -> None:
    text = LINES + "\n5 matches\n5 matched lines\n2 files contained matches\n"
    assert faithful(text) == GROUPED + "\n5 matches\n5 matched lines\n2 files contained matches\n"


@pytest.mark.parametrize(
    "text",
    [
        "src/a.py:3:x\n12 monkeys\nsrc/a.py:4:y\nsrc/a.py:5:z\n",  # would read as line 12
        "note\n12 monkeys\nsrc/a.py:4:y\nsrc/a.py:5:z\nsrc/a.py:6:z\n",  # would read as a heading
        "12 x.txt:4:y\n12 x.txt:5:y\n12 x.txt:6:z\n",  # a heading that looks like a row
    ],
)
def test_what_could_be_misread_is_not_written(text: str) -> None:
    assert compress(text, lossless=True) is None


@pytest.mark.parametrize(
    "text", ["src/a.py\nsrc/b.py\nsrc/c/d.py\n" * 20, "src/a.py:3\nsrc/b.py:12\nsrc/c.py:1\n" * 20, "", "\n", "x"]
)
def test_lists_of_files_and_counts_are_no_matches(text: str) -> None:
    assert compress(text, "rg -l needle") is None


def rg_json(records: list[tuple[str, int, str]], *, offset: int = 0) -> str:
    """Write records as ``rg --json`` does."""
    lines = []
    path = ""
    for name, number, text in records:
        if name != path:
            if path:
                lines.append({"type": "end", "data": {"path": {"text": path}, "binary_offset": None, "stats": {}}})
            path = name
            lines.append({"type": "begin", "data": {"path": {"text": path}}})
        kind = "context" if text.startswith("#") else "match"
        start = len(text[: max(0, text.find("needle"))].encode())
        submatches = [] if kind == "context" else [{"match": {"text": "needle"}, "start": start, "end": start + 6}]
        lines.append(
            {
                "type": kind,
                "data": {
                    "path": {"text": name},
                    "lines": {"text": text + "\n"},
                    "line_number": number,
                    "absolute_offset": offset,
                    "submatches": submatches,
                },
            }
        )
    lines.append({"type": "summary", "data": {"elapsed_total": {"secs": 0}, "stats": {"matches": len(records)}}})
    return "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines)


def test_json_lines_become_headings() -> None:
    text = rg_json(
        [("src/a.py", 3, "needle()"), ("src/a.py", 9, "needle()"), ("b \u00e9.py", 2, "x = needle  # \u00fc")]
    )
    draft = compress(text, "rg --json needle")
    assert draft is not None
    assert draft.text == "src/a.py\n3,9 needle()\n\nb \u00e9.py\n2 x = needle  # \u00fc\n"
    assert (draft.degree, draft.missing) == (LOSSY, "byte offsets and statistics")
    assert compress(text, "rg --json needle", keep_json=True) is None
    assert compress(text, "rg --json needle", lossless=True) is None
    assert compress(text, "rg --json needle", level="safe") is None


def test_json_lines_cut_off_in_the_middle_stay() -> None:
    whole = rg_json([("src/a.py", n, f"needle({n})") for n in range(1, 9)])
    cut = whole[: whole.rindex('"submatches"')]
    draft = compress(cut, "rg --json needle")
    assert draft is not None
    assert draft.text.endswith("7 needle(7)\n" + cut.split("\n")[-1])


def test_json_context_binary_files_and_odd_bytes() -> None:
    text = rg_json([("a.py", 2, "# before"), ("a.py", 3, "needle()")])
    text += '{"type":"end","data":{"path":{"text":"x.o"},"binary_offset":77,"stats":{}}}\n'
    odd = '{"type":"match","data":{"path":{"text":"odd.txt"},"lines":{"bytes":"bmVlZGxl/w=="},"line_number":1}}'
    draft = compress(text + odd + "\n", "rg --json -C1 needle")
    assert draft is not None
    assert "2 # before\n3:needle()\n" in draft.text
    assert 'x.o: binary file matches (found "\\0" byte around offset 77)' in draft.text
    assert odd in draft.text


DEFINITIONS = (
    ("py", "def run(self):"),
    ("py", "    async def run(self) -> None:"),
    ("py", "class Parser(Base):"),
    ("py", "class Bare:"),
    ("py", "MAX_SIZE = 10"),
    ("py", "MAX_SIZE: int = 10"),
    ("js", "export default function main() {"),
    ("js", "const parse = (text) => {"),
    ("js", "exports.parse = function (text) {"),
    ("js", "  render() {"),
    ("js", "  async load(url, options) {"),
    ("ts", "export interface Options {"),
    ("ts", "type Handler = () => void;"),
    ("ts", "export const enum Mode {"),
    ("ts", "declare module 'x' {"),
    ("ts", "  private readonly run = async () => {"),
    ("go", "func (s *Server) Run(ctx context.Context) error {"),
    ("go", "type Server struct {"),
    ("go", "const limit = 3"),
    ("go", 'var ErrGone = errors.New("gone")'),
    ("go", "type ID string"),
    ("rs", "pub(crate) fn run(&self) -> Result<()> {"),
    ("rs", "impl<T: Send> Runner for Pool<T> {"),
    ("rs", "pub struct Pool<T> {"),
    ("rs", "macro_rules! check {"),
    ("rs", "    pub const LIMIT: usize = 3;"),
    ("rs", "pub trait Runner {"),
    ("rs", 'unsafe extern "C" fn call() {'),
    ("java", "public final class Parser extends Base {"),
    ("java", "    private static int parse(String text) {"),
    ("java", "    @Override public void run() {"),
    ("java", "public record Point(int x, int y) {"),
    ("java", "    String name(final int id) throws IOException {"),
    ("cs", "public async Task<int> RunAsync(string name)"),
    ("cs", "namespace Demo.Core;"),
    ("cs", "    internal sealed partial class Store : IStore"),
    ("c", "#define MAX(a, b) ((a) > (b))"),
    ("c", "static int parse(const char *text)"),
    ("c", "struct point {"),
    ("c", "typedef struct point point_t;"),
    ("h", "#  define WIDE 1"),
    ("cpp", "template <typename T>"),
    ("cpp", "std::vector<int> Parser::parse(const std::string &s) const {"),
    ("cpp", "enum class Mode : int {"),
    ("cpp", "namespace demo {"),
    ("cpp", "constexpr int limit = 3;"),
    ("kt", "fun main(args: Array<String>) {"),
    ("kt", "data class User(val name: String)"),
    ("kt", "suspend fun load(): User"),
    ("swift", "func parse(_ text: String) -> Node {"),
    ("swift", "extension Array where Element: Equatable {"),
    ("swift", "protocol Runner: AnyObject {"),
    ("rb", "  def run(name)"),
    ("rb", "module Demo"),
    ("rb", "class Parser < Base"),
    ("php", "    public static function run(array $x): int"),
    ("php", "trait Runs"),
    ("scala", "case class User(name: String)"),
    ("scala", "object Main extends App {"),
    ("sh", "run_all() {"),
    ("sh", "function run {"),
    ("lua", "local function run(x)"),
    ("lua", "function M.run(x)"),
    ("pl", "sub run {"),
    ("ex", "defmodule Demo.App do"),
    ("ex", "  defp run(x) do"),
    ("erl", "-spec run(integer()) -> ok."),
    ("hs", "parse :: String -> Maybe Node"),
    ("hs", "data Tree a = Leaf | Node a"),
    ("clj", "(defn run [x]"),
    ("el", "(defun run (x)"),
    ("sql", "CREATE TABLE users ("),
    ("sql", "create or replace function run() returns void"),
    ("r", "run <- function(x) {"),
    ("tf", 'resource "aws_x" "y" {'),
    ("proto", "message User {"),
    ("zig", "pub fn main() !void {"),
    ("nim", "proc run(x: int) ="),
    ("jl", "function run(x)"),
    ("m", "- (void)runWith:(int)x {"),
    ("m", "@interface Parser : NSObject"),
    ("dart", "abstract class Widget {"),
    ("graphql", "input UserInput {"),
)
NO_DEFINITIONS = (
    ("py", "    return self.run()"),
    ("py", "    raise ValueError(text)"),
    ("md", "class of errors that is common"),
    ("py", "from x import y"),
    ("js", "    if (ready) {"),
    ("js", "  for (const x of xs) {"),
    ("c", "    return parse(text);"),
    ("c", "  foo(bar, baz);"),
    ("java", "        } else if (x) {"),
    ("md", "The function is called when it starts"),
    ("go", '\t\tt.Errorf("x")'),
    ("txt", "type in the box"),
    ("rs", "    while let Some(x) = it.next() {"),
    ("js", "  } catch (error) {"),
    ("c", "else if (parse(x)) {"),
)


def is_definition(line: str, kind: str) -> bool:
    """Ask as the cutter does, of one line among others."""
    return (1, DEFINITION_LINE) in telling(["x", line, "y"], kind, {})


@pytest.mark.parametrize(("kind", "line"), DEFINITIONS, ids=[line for _, line in DEFINITIONS])
def test_definitions_are_known(kind: str, line: str) -> None:
    assert is_definition(line, kind)
    assert is_definition(line + "\r", kind)


@pytest.mark.parametrize(("kind", "line"), NO_DEFINITIONS, ids=[line for _, line in NO_DEFINITIONS])
def test_other_lines_are_no_definitions(kind: str, line: str) -> None:
    assert not is_definition(line, kind)


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("log", "connection failed", True),
        ("log", "2024-01-02 03:04:05 INFO 0 errors", False),
        ("txt", "error: no space left", True),
        ("txt", "2024-01-02 03:04:05,123 ERROR pool exhausted", True),
        ("py", "raise ValueError(text)", False),
        ("txt", "ValueError: bad", True),
        ("py", "except ValueError:", False),
        ("go", "if err != nil { return errors.New(x) }", False),
        ("txt", "Traceback (most recent call last):", True),
        ("md", "| exit code | 1 |", False),
        ("txt", "process exited with code 2", True),
        ("txt", "E0102 03:04:05.678 file.go:3] failed to dial", True),
    ],
)
def test_reported_errors_are_told_from_code(kind: str, line: str, *, expected: bool) -> None:
    assert is_error(line, kind) is expected


def long_result() -> str:
    """Write many calls, a few definitions and a logged error for each of some files."""
    lines = []
    for file in range(12):
        path = f"src/module_{file}/code.py"
        for n in range(60):
            if n % 20 == 7:
                text = f"def handler_{file}_{n}(request, needle):"
            elif n == 33:
                text = f"error: needle {'abcdefghijkl'[file]} is gone"
            else:
                text = f"    value_{n % 9} = needle.call(option_{n % 7}, retries={n}, reason='run {n * file}')"
            lines.append(f"{path}:{n * 3 + 1}:{text}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("level", ["balanced", "max"])
def test_files_definitions_errors_and_counts(level: str) -> None:
    text = long_result()
    draft = compress(text, level=level)
    assert draft is not None
    assert draft.degree == LOSSY
    assert count(draft.text) < (0.62 if level == "balanced" else 0.45) * count(text)
    cut = 0
    for part in draft.text.removesuffix("\n").split("\n\n"):
        path, *rows = part.split("\n")
        file = int(path.split("_")[1].split("/")[0])
        held = 0
        if rows[-1].startswith("[... "):
            note = re.fullmatch(r"\[\.\.\. (\d+) matches?\]", rows.pop())
            assert note
            held = int(note[1])
        shown = [number for row in rows for number in row.split(" ", 1)[0].split(",")]
        assert len(shown) + held == 60
        assert shown == sorted(shown, key=int)
        cut += held
        for row in rows:
            label, line = row.split(" ", 1)
            for number in label.split(","):
                assert f"{path}:{number}:{line}\n" in text  # a place is told with its own line
        for n in (7, 27, 47):
            assert f"{n * 3 + 1} def handler_{file}_{n}(request, needle):" in rows
        assert f"100 error: needle {'abcdefghijkl'[file]} is gone" in rows
        assert rows[0].startswith("1 ")
    assert draft.text.count("/code.py\n") == 12
    assert draft.missing == f"{cut} of 720 lines"


def test_a_large_result_keeps_its_promises_too() -> None:
    # Beyond some thousand rows only the first of each file are weighed; what is behind them goes from the end.
    lines = []
    for file in range(40):
        for n in range(1, 301):
            text = (
                f"def run_{file}_{n}(needle):" if n % 50 == 0 else f"    x_{n} = needle(call_{file}, {n * file % 977})"
            )
            lines.append(f"lib/part_{file}/mod.py:{n}:{text}")
    text = "\n".join(lines) + "\n"
    draft = compress(text, question="what does call_7 do?")
    assert draft is not None
    assert count(draft.text) < 0.45 * count(text)
    parts = [part.split("\n") for part in draft.text.removesuffix("\n").split("\n\n")]
    assert [part[0] for part in parts] == [f"lib/part_{file}/mod.py" for file in range(40)]
    cut = 0
    for part in parts:
        note = re.fullmatch(r"\[\.\.\. (\d+) matches?\]", part[-1])
        rows = part[1:-1] if note else part[1:]
        held = int(note[1]) if note else 0
        assert len(rows) + held == 300
        assert sum("def run_" in row for row in rows) == 6
        assert [row.split(" ", 1)[0] for row in rows[:3]] == ["1", "2", "3"]
        assert all(f"{part[0]}:{row.replace(' ', ':', 1)}\n" in text for row in rows[:20])
        cut += held
    assert draft.missing == f"{cut} of 12000 lines"


def test_a_budget_takes_definitions_last_and_never_a_name() -> None:
    text = "".join(f"src/f{file}.py:{n}:def needle_{file}_{n}(x):\n" for file in range(9) for n in range(1, 60))
    assert compress(text).text.count("def needle_") == 9 * 59  # type: ignore[union-attr]
    draft = compress(text, budget=600)
    assert draft is not None
    for file in range(9):
        assert f"src/f{file}.py\n" in draft.text
        assert draft.text.count(f"def needle_{file}_") >= 6


def test_the_question_decides_what_stays() -> None:
    text = long_result()
    asked = compress(text, question="Where is option_3 used with a retry of reason 'run 231'?")
    other = compress(text, question="")
    assert asked is not None
    assert other is not None
    assert asked.text.count("option_3") > other.text.count("option_3")


def test_context_goes_before_matches() -> None:
    lines = []
    for n in range(10, 2000, 10):
        lines += [
            f"a.py-{n - 2}-    unrelated_{n} = other({n})",
            f"a.py-{n - 1}-",
            f"a.py:{n}:    needle(kind_{n}, {n})",
            f"a.py-{n + 1}-    )",
            f"a.py-{n + 2}-    more_{n} = thing({n})",
            "--",
        ]
    draft = compress("\n".join(lines) + "\n", "rg -n -C2 needle")
    assert draft is not None
    matches = re.findall(r"(?m)^\d+:    needle", draft.text)
    context = re.findall(r"(?m)^\d+ ", draft.text)
    note = re.search(r"\[\.\.\. (?:(\d+) matches, )?(\d+) context lines\]", draft.text)
    assert note
    assert len(matches) == 199
    assert len(context) + int(note[2]) == 4 * 199
    if int(note[2]) <= 2 * 199:
        assert len(re.findall(r"(?m)^\d+ .*=", draft.text)) == 2 * 199  # lines that say nothing go first
    else:
        assert not re.search(r"(?m)^\d+ (?:    \))?$", draft.text)


def test_safe_only_groups_and_cuts_blobs() -> None:
    draft = compress(long_result(), level="safe")
    assert draft is not None
    assert draft.degree == FAITHFUL
    blob = LINES + "dist/app.min.js:1:" + "var a=function(b){return b.c(d)};" * 300 + "needle" + ";x=1" * 900 + "\n"
    draft = compress(blob, level="safe")
    assert draft is not None
    assert draft.degree == LOSSY
    assert "needle" in draft.text.split("dist/app.min.js\n")[1]
    assert len(draft.text) < 3000


@pytest.mark.parametrize("at", [0, 150, 5_000, 19_990])
def test_long_lines_keep_head_match_and_count(at: int) -> None:
    line = "".join(chr(97 + n * 7 % 26) for n in range(20_000))
    line = line[:at] + "NEEDLE" + line[at + 6 :]
    short, gone = crop(line, 200, ["needle"], (0, 0))
    assert "NEEDLE" in short
    assert short.startswith(line[:100])
    assert sum(map(int, re.findall(r"\[\.\.\. (\d+) characters\]", short))) == gone
    assert len(re.sub(r"\[\.\.\. \d+ characters\]", "", short)) + gone == len(line)
    told, _ = crop(line, 200, [], (at, at + 6))
    assert "NEEDLE" in told


def test_a_long_error_stays_whole() -> None:
    line = "error: " + "the needle was not in the haystack; " * 40
    draft = compress(LINES + f"run/app.log:8:{line}\n")
    assert draft is not None
    assert line.strip() in draft.text


@pytest.mark.parametrize(
    ("command", "pattern", "words"),
    [
        ("rg -n -g '!node_modules' __init__ src", "__init__", ["__init__"]),
        (
            "grep -rnE --include=*.py 'def test_|class Test\\w+' . | head -40",
            "def test_|class Test\\w+",
            ["test_", "class"],
        ),
        ("cd x && git grep -n -e foo_bar HEAD", "foo_bar", ["foo_bar"]),
        ("rg -A 3 -t py '[Ee]rror'", "[Ee]rror", ["rror"]),
        ("grep -r needle src | grep -v test", "test", ["test"]),
        ('rg --regexp="wide word" .', '"wide word"', ["wide"]),
        ("ls -la", "", []),
        ("grep", "", []),
    ],
)
def test_what_was_searched_for(command: str, pattern: str, words: list[str]) -> None:
    assert searched(command) == pattern.strip('"')
    assert literals(searched(command)) == words


@pytest.mark.parametrize("level", ["safe", "balanced"])
def test_a_rendering_is_not_rendered_again(level: str) -> None:
    blobs = "".join(f"src/a{n}.js\n1:{'x' * 300}needle{'y' * 900}\n7:needle()\n\n" for n in range(9))
    for text in (long_result(), LINES, blobs, rg_json([("a.py", n, f"needle({n})") for n in range(300)])):
        draft = compress(text, level=level)
        if draft is not None:
            again = compress(draft.text, level=level)
            assert again is None or again.text == draft.text


@pytest.mark.skipif(not CORPUS.exists(), reason=WHY_NO_CORPUS)
def test_outside_samples_keep_names_and_definitions() -> None:
    place = re.compile(r"(?m)^([^:\n]{1,300}):(\d+):(.*)$")
    defines = re.compile(
        r"\s*(?:(?:export|pub|public|private|static|async|default)\s+)*(?:def|class|func|fn|struct|interface)\s+\w+\s*[({<:]"
        r"|#define \w+"
    )
    seen = 0
    for name, command, data in corpus("search"):
        text = data.decode("utf-8", "replace")
        draft = compress(text, command)
        if draft is None or "--json" in command:
            continue
        for path, number, line in place.findall(text):
            if path.startswith("HEAD"):
                continue
            assert path in draft.text, name
            if len(line) <= 200 and defines.match(line):
                seen += 1
                assert re.search(rf"(?m)^[\d,]*\b{number}\b[\d,]*[ :]{re.escape(line)}$", draft.text), (
                    name,
                    path,
                    line,
                )
    assert seen > 500
