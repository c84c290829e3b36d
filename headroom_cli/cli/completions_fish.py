"""The completion for fish."""

from __future__ import annotations

from headroom_cli.cli import completions as shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.cli.options import Verb
    from headroom_cli.settings import Setting

HEAD = """\
function __headroom_valued --description 'flags of a verb that take a value'
    switch $argv[1]
@VALUED@    end
end

function __headroom_child --description 'how many words of a verb stand before those of another command line'
    switch $argv[1]
@CHILD@    end
end

function __headroom_place --description 'verb and place of the current word; or child, its start, and the word before'
    set -l words (commandline -opc)
    set -q words[2]; or return 1
    set -l valued (__headroom_valued $words[2])
    set -l child (__headroom_child $words[2])
    set -l place 0
    set -l first
    set -l at 3
    while test $at -le (count $words)
        if test "$words[$at]" = --; and set -q child[1]
            echo child
            math $at + 1
            string escape -- $first
            return
        else if contains -- "$words[$at]" $valued
            set at (math $at + 1)
        else if not string match -q -- '-?*' "$words[$at]"
            if test "$child" = $place
                echo child
                echo $at
                return
            end
            set -q first[1]; or set first $words[$at]
            set place (math $place + 1)
        end
        set at (math $at + 1)
    end
    echo $words[2]
    echo $place
end

function __headroom_at --description 'whether the current word belongs to this verb, and to this place'
    set -l found (__headroom_place)
    test "$found[1]" = "$argv[1]"; and begin
        not set -q argv[2]; or test "$found[2]" = "$argv[2]"
    end
end

function __headroom_handover --description 'what another command completes its words with'
    set -l found (__headroom_place)
    set -l words (commandline -opc)
    set -l given
    test "$found[2]" -le (count $words); and set given (string escape -- $words[$found[2]..])
    test "$words[2]" = wrap; and set -p given $found[3]
    complete --do-complete (string join ' ' -- $given (commandline -ct)) 2>/dev/null
end

function __headroom_store --description 'the directory of the store'
    set -l words (commandline -opc)
    set -l at (contains -i -- --store $words); and set -q words[(math $at + 1)]
    and begin
        string replace -r '^~/' "$HOME/" -- $words[(math $at + 1)]
        return
    end
    set -l joined (string match -r -- '^--store=(.*)' $words)
    set -q joined[2]; and string replace -r '^~/' "$HOME/" -- $joined[2]; and return
    test -n "$HEADROOM_STORE"; and echo $HEADROOM_STORE; and return
    set -l config ~/.config
    set -l data ~/.local/share
    string match -q -- '/*' "$XDG_CONFIG_HOME"; and set config $XDG_CONFIG_HOME
    string match -q -- '/*' "$XDG_DATA_HOME"; and set data $XDG_DATA_HOME
    if test -f $config/headroom/config.toml
        set -l filed (awk @CONFIG@ $config/headroom/config.toml)
        test -n "$filed"; and echo $filed; and return
    end
    echo $data/headroom/store
end

function __headroom_newest --description 'the ends of the two newest files of a folder of the store'
    set -l store (__headroom_store)
    set -l found
    switch $argv[1]
        case grants
            set found $store/grants/owner-*.log
        case ledger
            set found $store/ledger/*.jsonl
    end
    set -q found[1]; or return
    set -q found[3]; and set found $found[-2..-1]
    for file in $found
        test -f "$file" -a -r "$file"; and tail -c @TAIL@ -- $file
    end
end

function __headroom_handles
    __headroom_newest grants 2>/dev/null | LC_ALL=C awk -v sep=\\t @GRANTS@ 2>/dev/null
end

function __headroom_seen --description 'what the ledger knows of a member: model, project, tools'
    __headroom_newest ledger 2>/dev/null | LC_ALL=C awk -v member=$argv[1] @LEDGER@ 2>/dev/null
end

function __headroom_models --description 'models that shorten prose'
    set -l data ~/.local/share
    string match -q -- '/*' "$XDG_DATA_HOME"; and set data $XDG_DATA_HOME
    set -l found $data/headroom/models/*/
    string split -- ' ' '@KOMPRESS@'
    string replace -r '.*/([^/]+)/$' '$1' -- $found
end

function __headroom_listed --description 'choices that may follow the last comma'
    set -l before (string match -r '.*,' -- (commandline -ct | string replace -r '^--[a-z-]+=' ''))
    for choice in $argv
        echo "$before"$choice
    end
end

complete -c headroom -f
complete -c headroom -n '__headroom_at child' -x -a '(__headroom_handover)'
"""


def script(verbs: list[Verb]) -> str:
    """Return the script."""
    made = HEAD
    flags = "".join(f"        case {verb.name}\n            string split -- ' ' '{' '.join(shared.valued(verb))}'\n"
                    for verb in verbs if shared.valued(verb))  # fmt: skip
    child = "".join(f"        case {verb.name}\n            echo {shared.child(verb)}\n"
                    for verb in verbs if shared.child(verb) >= 0)  # fmt: skip
    for mark, text in (
        ("@VALUED@", flags), ("@CHILD@", child), ("@GRANTS@", _quote(shared.GRANTS)),
        ("@LEDGER@", _quote(shared.LEDGER)), ("@CONFIG@", _quote(shared.CONFIG)), ("@TAIL@", str(shared.TAIL)),
        ("@KOMPRESS@", shared.KOMPRESS),
    ):  # fmt: skip
        made = made.replace(mark, text)
    lines = [made]
    first = "complete -c headroom -n __fish_use_subcommand"
    lines += [f"{first} -l {flag[2:]} -d {_quote(does)}\n" for flag, does in shared.TOP]
    lines += [f"{first} -a {verb.name} -d {_quote(verb.about)}\n" for verb in verbs]
    for verb in verbs:
        start = f"complete -c headroom -n '__headroom_at {verb.name}'"
        for row in verb.rows:
            spelt = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1]}" for flag in row.flags)
            lines.append(f"{start} {spelt}{_value(row)} -d {_quote(row.about)}\n")
        lines.append(f"{start} -s h -l help -d 'show the help'\n")
        lines += [_argument(verb, place) for place in range(len(verb.arguments))]
    return "".join(lines)


def _value(row: Setting) -> str:
    """Return what completes a flag's value."""
    words = " ".join(row.choices)
    return {
        "": "", "choices": f" -x -a '{words}'", "listed": f" -x -a '(__headroom_listed {words})'", "file": " -r -F",
        "directory": " -x -a '(__fish_complete_directories)'", "model": " -x -a '(__headroom_seen model)'",
        "project": " -x -a '(__headroom_seen project)'",
        "tools": f" -x -a '(__headroom_listed {shared.TOOLS} (__headroom_seen tools))'",
        "kompress": " -r -F -a '(__headroom_models)'",
    }.get(shared.source(row), " -x")  # fmt: skip


def _argument(verb: Verb, place: int) -> str:
    """Return the line that completes an argument; another command line has one line for all verbs."""
    argument = verb.arguments[place]
    start = f"complete -c headroom -n '__headroom_at {verb.name} {place}"
    what = shared.offers(verb, argument)
    if what == "child":
        return f"{start}' -x -a '(complete --do-complete (commandline -ct))'\n" if place == 0 else ""
    if what == "choices":
        return f"{start}' -a '{' '.join(argument.choices)}'\n"
    if what == "client":
        return f"{start}' -x -a '{shared.clients()} (complete --do-complete (commandline -ct))'\n"
    if what == "kompress":
        return f"{start}' -a '(__headroom_models)'\n"
    if what == "handle":
        if only := shared.needs(verb, argument):
            given = f"contains {only} (commandline -opc)"
            return f"{start}; and {given}' -k -a '(__headroom_handles)'\n{start}; and not {given}' -F\n"
        return f"{start}' -k -a '(__headroom_handles)'\n{start}' -F\n"
    if argument.several:
        start = start.removesuffix(f" {place}")
    return f"{start}' -F\n"


def _quote(text: str) -> str:
    """Return a word in single quotes as fish reads it: a backslash counts there before a quote or a backslash."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
