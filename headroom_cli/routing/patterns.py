"""The patterns of signatures.py: each is matched at one line's start, and every gap in it is bounded.

Names say what a line that matches is part of. Callers ask for a character that every match has before they try one.
"""

from __future__ import annotations

import re

from headroom_cli.lazy import pattern

_NO_LETTERS = bytes(byte for byte in range(128) if not chr(byte).isalpha())


def spoken(line: str) -> int:
    """Return how many characters of a line are letters or spaces."""
    if line.isascii():
        return len(line.encode().translate(None, _NO_LETTERS)) + line.count(" ")
    return sum(map(str.isalpha, line)) + line.count(" ")


STAMP = pattern(
    r"[\[<(]?(?:\d{4}[-/.]\d\d[-/.]\d\d[T _]\d\d[:.]\d\d|\d{1,2}[-/]\w{2,3}[-/]\d{2,4}[ :]\d\d:\d\d"
    r"|\d\d:\d\d:\d\d\b|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|1\d{9}(?:\d{3})?[ .]|\d\d/\d\d/\d\d \d\d:\d\d:\d\d"
    r"|\d{1,2}/\d{1,2}/\d{4},? \d{1,2}:\d\d|[VDIWEF]/[\w.$-]{1,60}\(\s{0,5}\d{1,6}\): |==\d{1,7}=="
    r"|\d\d-\d\d \d\d:\d\d:\d\d"
    r"|\s{0,8}\d{1,6}\.\d{6}\] |\d{8}-\d{1,2}:\d|\d{6} \d{6} |[IWEF]\d{4} \d\d:\d\d:\d\d|<\d{1,3}>)"
)
LATE_STAMP = pattern(r"\d\d(?::\d\d:\d\d|\d\d-\d\d-\d\dT)")  # a digit first: what is searched for is found sooner
LEVEL = pattern(
    r"\b(?:INFO|WARN|WARNING|ERROR|DEBUG|FATAL|TRACE|CRITICAL|NOTICE|SEVERE|ERR!|level=[a-z]{4,7})\b|\[(?:info"
    r"|warn|error|debug)\]|ERR!"
)
DIAGNOSTIC = pattern(
    r"\s{0,8}(?:\[[\w .-]{1,30}\] )?\[?(?:[A-Za-z]:)?[^\s:()\[]{0,150}[./\\][^\s:()\[./\\]{1,60}(?::\d{1,7}\b"
    r"|\(\d{1,7}(?:,\d{1,6}){0,3}\)|:\[\d{1,7},\d{1,6}\])(?: in | at |:|\]| )"
)
# The quoted source below a compiler's message, and a linter's code
SNIPPET = pattern(
    r"\s{0,12}(?:\d{1,6}\s)?\s?\|(?: |$)|\s{0,150}[\^~]{1,100}$|\s{0,8}= (?:note|help)|\s{0,8}--> "
    r"|\s{2,12}[A-Z]{1,4}\d{2,5}:? "
)
BRACKETED = pattern(r"\s{0,8}\[[\w .:/@-]{2,40}\](?: |$|\t)")
BUILD = pattern(
    r"\s{0,12}(?:Compiling|Checking|Updating|Adding|Removing|Locking|Creating|Generating|Linking|Scanning"
    r"|Entering|Leaving|Copying|Total |Downloading|Downloaded|Building|Finished|Collecting|Requirement already"
    r"|Installing|Successfully|Using cached|Preparing|Running|Fetching|Cloning|Unpacking|Setting up|Get:\d"
    r"|Reading |Selecting |make(?:\[\d{1,3}\])?: |g?cc |g\+\+ |clang|gcc |ld: |npm |yarn |error[:\[]"
    r"|warning[:\[]|note: |help: |> Task|BUILD |#\d{1,4} |Step \d|\s{0,3}--> |##\[|\$ |CC |LD |AR |CXX "
    r"|Traceback|fatal: |info |Hit:\d|Processing |Found |\[\s{0,3}\d{1,4}(?:%|/\d{1,5})\]|-- |copying "
    r"|creating |adding |running |remote: |To |From |added \d|removed \d|Error|Warning|Caused by|Exception"
    r"|at [\w.$<>/@]{1,150}[ (:]|\.{3} \d{1,3} more)"
)
COMPILER = pattern(
    r"[^\s:()]{1,200}+(?::\d{1,7}(?::\d{1,6})?:?|\(\d{1,7},\d{1,6}(?:,\d{1,6}){0,2}\):"
    r"|:\[\d{1,7},\d{1,6}\]) (?:- )?(?:\w{1,20} )?"
    r"(?:[Ee]rror|[Ww]arning|[Nn]ote|[Ff]atal|ERROR|WARNING|info:|style:|\w{1,40}(?:Warning|Error): "
    r"|[A-Z]{1,4}\d{2,5}\b)"
    r"|[^\s:]{1,200}+: (?:In (?:static |member |instantiation |function|constructor|destructor|substitution|copy "
    r"|lambda|file )"
    r"|At (?:global|top))|[^\s:]{1,200}+:\d{1,7}(?::\d{1,6})?:  {0,3}(?:required|instantiated|recursively|from )"
)
# What follows path:line: in a linter's output, not in a match
MESSAGE = pattern(
    r":\d{1,7}(?::\d{1,6})?:? (?:\[[A-Z]\d|[A-Z]{1,4}\d{2,5}\b|\[\w+\] |[A-Z][a-z]{2,20} [\w'\"]{1,30} [\w'\"]"
    r"|\(\w+\) )|\d\d:\d\d:\d\d"
)
# How an agent's own search tools announce what they found
HARNESS = pattern(
    r"(?:Found \d{1,7} (?:match|file|result)|No (?:matches|files) found|More than \d{1,7} (?:files|matches))"
)
TEST = pattern(
    r"\s{0,12}(?:={3,} ?.{0,40}(?:test session starts|test process starts|tests finished|FAILURES|ERRORS"
    r"|short test summary|passed|failed|warnings summary)|=== RUN|--- (?:PASS|FAIL|SKIP)|=== (?:PAUSE|CONT)"
    r"|(?:ok|FAIL|\?)\s{1,4}\S{1,100}\s{1,4}(?:\d|\(cached|\[no)|test \S{1,120} \.\.\. |running \d{1,6} tests?"
    r"|test result: |[\u2713\u2714\u2717\u2718\u2715\u00d7\u221a\u2212] |PASS(?:ED)?\b|FAIL(?:ED|:)?\b"
    r"|Tests?:? {1,8}\d|Test Suites: |Ran \d{1,7} tests?|collected \d|(?:not )?ok \d{1,6}\b|1\.\.\d"
    r"|\d{1,5} (?:passing|failing|pending|passed|failed)\b|Tests run: |E {3}|\[gw\d"
    r"|platform \w{1,10} -- Python|FAILED \(|OK(?: \(|$)|-{60,}$|={60,}$|ERROR: \w{1,80} \(|TAP version"
    r"|# (?:tests|pass|fail)\b|Testing against|Creating test database|System check)"
)
TEST_TAIL = pattern(
    r" (?:PASSED|(?<!uild )(?<!BUILD )FAILED|SKIPPED|XFAIL|XPASS|\.{3} ?(?:ok|FAIL|ERROR|skipped))\b"
    r"|^\S{1,150}\.py [.FEsxX]{1,100}(?: {1,80}\[|$)|^[.FEsxX]{20,}(?: {1,20}\[|$)"
)
SEARCH = pattern(
    r"(?:[A-Za-z]:[\\/]|[\w./~^-]{1,60}:(?=[^\s:]{1,200}:\d))?[^\s:;=(){}\"'<>|,\[][^:\"'<>"
    r"|\t]{0,200}[:-]\d{1,7}[:-]"
)
PLAIN_MATCH = pattern(
    r"(?:[A-Za-z]:[\\/])?(?:[^\s:;=(){}\"'<>|,*]{0,200}/[^\s:;=(){}\"'<>|,*]{1,200}"
    r"|[\w.+-]{1,80}\.[A-Za-z]{1,5}):(?!/)"
)
NUMBERED_MATCH = pattern(r"\d{1,7}[:-]")
PATH = pattern(
    r"(?:[A-Za-z]:[\\/])?(?:\.{0,2}/)?(?:[\w.@+~,=%#\[\]-]{1,120}+[/\\]){0,40}[\w.@+~,=%#\[\]-]{1,120}+[/\\]?[*@="
    r"|]?:?$"
)
MODE = pattern(
    r"\s{0,12}\d{1,12}\s{1,8}\d{1,9} [-dlcbps][-rwxsStT]{9}\s|\d{6} (?:blob|tree|commit) [0-9a-f]{40}\t"
    r"|[-dlcbps][-rwxsStT]{9}[.+@]?\s|total \d{1,10}$|[\d.]{1,10}[KMGTB]?\s{1,8}[^\s:]{1,250}$"
    r"|\s{0,12}\d{1,10} [^\s:]{1,250}$|\d{1,10}\t[^\t]{1,250}$"
)
TREE = pattern(r"[\s\u2502|]{0,80}(?:\u251c\u2500|\u2514\u2500|\|--|`--|[+`\\]-- )")
STATUS = pattern(
    r"[ MADRCU?!]{2} \S|\s(?:modified|new file|deleted|renamed): |[MADRC]\d{0,3}\t|[^|]{1,150} \| {1,6}(?:\d{1,6}"
    r"(?: [+-]{1,100})?|Bin(?: [^|]{1,60})?)$"
)
CODE_START = pattern(
    r"\s{0,100}(?:def |class |import |from [\w.]{1,80} import|return\b|if |if\(|else\b|elif |elsif |for |for\("
    r"|while |while\(|func |fn |let |const |var |public |private |protected |static |void |int |char |#include"
    r"|#define|#if|#endif|#\[|package |use |impl |struct |enum |union |trait |mod |pub |type |interface "
    r"|export |async |await |try[:\s{]|catch|except|finally|raise |throw |with |switch |case |break|continue"
    r"|end$|@\w|//|/\*|\*/| \* |\* |\"\"\"|'''|#!|module |namespace |template|typedef |unsigned |const\s"
    r"|extern |self\.|this\.|yield |assert |print\(|del |lambda |local |function |fi$|done$|then$|esac|echo "
    r"|(?:mov|push|pop|add|sub|jmp|call|lea|cmp)[a-z]{0,2}\s|\.(?:text|globl|type|data|section)\b|set -|<\?php"
    r"|\$\w{1,40} ?=|\}|\]|\)|#\s)"
)
ASSIGN = pattern(r"\s{0,100}[\w.\[\]\"'*&$@-]{1,80}\s{0,20}(?::[\w\[\], .|]{1,60})?(?:[-+|*/]?=[^=]|:=|: )")
NUMBERED = pattern(r"\s{0,9}\d{1,7}(?:\t|\u2192|: {0,2}|\|(?: {1,2}|$)| {2})")
TAG = pattern(
    r"</?(?:html|head|body|div|span|p|a|ul|ol|li|table|tr|td|th|script|style|link|meta|img|h[1-6]|br|section"
    r"|article|nav|header|footer|form|input|button|svg|title|main|option|select|label|strong|em|b|i|code|pre"
    r"|tbody|thead|font|center|iframe|noscript|figure|path)\b",
    re.IGNORECASE,
)
COLUMN = pattern(r"\S(?: {2,}|\t+)(?=\S)")
KEYED = pattern(r"\s{0,40}[A-Za-z\"(][\w .()/\"-]{0,60}(?:[:=]\s|:$)")
SENTENCE = pattern(r"[a-z,;)'\"\u2019] [a-z]{1,15} [a-z(]")
MARKDOWN = pattern(r"#{1,6} \S|[-*+] \S|\d{1,3}[.)] \S|> |```|\[[^\]]{1,80}\]\(|\.\. |={4,}$|-{4,}$|~{4,}$|\| ")
# Text that a console hides, as Jenkins marks its lines, and colours
ANSI = pattern(r"\x1b\[8m[^\x1b]{0,400}(?:\x1b\[0m)?|\x1b\[[0-9;?]{0,20}[A-Za-z]")
HASH = pattern(r"\^?[0-9a-f]{7,64}\b")
# A line of a numbered view, as nl, cat -n and most viewers print it
VIEWED = pattern(r"\s{0,9}\d{1,7}(?:\t|\u2192)|\s{0,9}\d{1,7}$")
# The only line that a search found: a number, then code
FOUND_LINE = pattern(r"(?!1:)\d{1,7}:(?=\s{0,60}[\w@#/\"'.*<(\[{-])(?!\d\d\b)")
# path:12: Words; the same with a column
SPOKEN_PLACE = pattern(r"[^\s:][^:\n]{0,160}:\d{1,7}:(?:\d{1,6}:)? [^\s*]")
IMPORT = pattern(
    r"\s{0,12}(?:from [\w.]{1,100} import\b|import (?:[\w.]{1,100}(?: as \w{1,40}| from ['\"][^\n]{1,100})?(?:, "
    r"|;|$|\()|\{|\*|type "
    r"|static |[\"'])"
    r"|#include\b|using [\w.:<]{1,80};"
    r"|use [\w:\\\\]{1,80}(?:::\{|;)|require(?:_relative)? ['\"]|package [\w.]{1,80};?$)"
)
# What memos, manuals, mails and lists of changes begin with
WRITTEN = pattern(
    r"(?:NAME|SYNOPSIS|DESCRIPTION)$|Metadata-Version: |Format: https?://\S{1,100}copyright"
    r"|[\w.+-]{1,60} \(\S{1,40}\) [\w -]{1,40}; urgency=|Help on (?:class|module|function|built-in|package|method) "
    r"|Network Working Group|Request for Comments|Internet Engineering Task Force"
    r"|\d{4}-\d\d-\d\d  \S.{1,80}<\S{1,80}>$|# ?Change ?log\b|Subject: |Message-ID: "
    r"|\[?\d{1,2}:\d\d(?: [AP]M)?\] <?[\w .]{1,30}>?: "
    r"|[A-Z][\w.-]{1,30}\(\d\w{0,3}\) {3,80}\S|([\w.-]{1,60}\(\d\w{0,3}\)) {2,80}\S.{0,100} \1$"
)
RULER = pattern(r"[ |]{0,3}[+:=-][-+|:= ]{2,190}[-+|:=]$|\s{0,4}-{3,60}(?:\+-{2,60}){1,40}$")
QUOTED = pattern(r'"[^"]{0,190}"?')
PAIR = pattern(r"(?:export )?[A-Za-z_][\w.]{0,60}=(?!=)|[\w.:/-]{1,60} = \S")
# What a report of a machine, a device or a repository begins with
REPORT = pattern(
    r"(?:\d{1,3}: )?[\w.@-]{1,30}: (?:flags=|<[A-Z])|default via |; <<>> DiG|Chain [\w-]{1,40} \(|Windows IP Config"
    r"|Host Name:  |Screen \d{1,2}: min|top - \d|procs -|Linux \d\S{1,60} \(|commit [0-9a-f]{40}\b|Listing\.\.\."
    r"|goos: "
)
FENCE = pattern(r"[ \t>]{0,12}`{3,20}[^`]{0,100}$| {0,3}~{3,20} {0,2}\w{0,30}$")
ASKED = pattern(r"\[?(?:Bug|BUG|Feature|ENH|DOCS?|RFC|Question|Issue|Proposal)\b[^:]{0,30}:")
NAME = pattern(r"[\w.@+~-]{1,80}[/*@|=]?$")
YAML = pattern(r"\s{0,60}(?:- )?[\w.\"'/$@-]{1,60}:(?: (?! )|$)|\s{0,60}- \S|\s{0,60}#")
CHANGED = pattern(r".{1,150} \| {1,6}(?:\d{1,6} ?[+-]{0,100}$|Bin)| \d{1,6} files? changed")
CRON = pattern(r"(?:[\d*/,-]{1,20}[ \t]{1,8}){5}\S")
# The place of a change in a diff without context
PLACE = pattern(r"\d{1,7}(?:,\d{1,7})?[acd]\d{1,7}(?:,\d{1,7})?$")
# The lines of one side of a change, in a diff that shows both sides apart
SPAN = pattern(r"(?:\*\*\*|---) \d{1,7}(?:,\d{1,7})? (?:\*{4}|-{4})\s*$")
# A line of a file with who wrote it: commit, name, date, number
BLAMED = pattern(
    r"\^?[0-9a-f]{7,40} (?:\S{1,120} {1,40})?\(.{1,60}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [-+]\d{4} {1,8}\d{1,7}\)"
)
# A row of a colon-separated list, as /etc/group has them
COLONS = pattern(r"[\w.-]{1,60}:[^:\s]{0,60}:")
TITLE_WORD = pattern(r"[\w`\"'\[(*<{][^/:@=]{0,60}$")
WITHIN = pattern(r"[a-z\d)][.!?] {1,2}[A-Z][a-z]+ ")  # where a sentence ends and another begins
