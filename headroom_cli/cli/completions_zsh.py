"""The completion for zsh, to be found on its fpath as _headroom."""

from __future__ import annotations

from headroom_cli.cli import completions as shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.cli.options import Verb
    from headroom_cli.settings import Setting

HEAD = """\
_headroom_store() { # the directory of the store, into $store
    local config=$HOME/.config data=$HOME/.local/share at=${words[(I)--store]}
    store=$HEADROOM_STORE
    (( at && at < CURRENT )) && store=${(Q)words[at + 1]}
    at=${words[(I)--store=*]}
    (( at && at < CURRENT )) && store=${(Q)words[at]#--store=}
    store=${store/#\\~\\//$HOME/}
    [[ $XDG_CONFIG_HOME == /* ]] && config=$XDG_CONFIG_HOME
    [[ $XDG_DATA_HOME == /* ]] && data=$XDG_DATA_HOME
    [[ -z $store && -f $config/headroom/config.toml ]] &&
        store=$(awk @CONFIG@ $config/headroom/config.toml)
    [[ -n $store ]] || store=$data/headroom/store
}

_headroom_newest() { # the ends of the two newest files of a folder of the store: folder, pattern
    local store file
    local -a found
    _headroom_store
    found=("$store"/$1/${~2}(N-.On[1,2]))
    for file in ${(Oa)found}; do
        tail -c @TAIL@ -- $file
    done
}

_headroom_handles() {
    local -a handles
    handles=(${(f)"$(
        { _headroom_newest grants 'owner-*.log' | LC_ALL=C awk -v sep=: @GRANTS@ } 2>/dev/null
    )"})
    (( $#handles )) && _describe -V handle handles
}

_headroom_seen() { # what the ledger knows of a member: model, project, tools
    { _headroom_newest ledger '*.jsonl' | LC_ALL=C awk -v member=$1 @LEDGER@ } 2>/dev/null
}

_headroom_models_seen() {
    compadd -- ${(f)"$(_headroom_seen model)"}
}

_headroom_projects_seen() {
    compadd -- ${(f)"$(_headroom_seen project)"}
}

_headroom_tools_seen() {
    _sequence compadd - @TOOLS@ ${(f)"$(_headroom_seen tools)"}
}

_headroom_models() {
    local data=$HOME/.local/share
    [[ $XDG_DATA_HOME == /* ]] && data=$XDG_DATA_HOME
    compadd -- @KOMPRESS@ $data/headroom/models/[A-Za-z0-9]*(N/:t)
}

_headroom_handle_or_file() {
    _headroom_handles
    _files
}

_headroom_forget() {
    if [[ $line[1] == forget ]]; then
        _headroom_handles
    else
        _files -/
    fi
}

_headroom_client() {
    compadd -- @CLIENTS@
    _command_names -e
}

_headroom_arguments() { # those of the program that the word before them names, if any does
    if [[ -n $line[1] && $line[1] != -- ]]; then
        words=($line[1] $words)
        (( CURRENT++ ))
    fi
    _normal
}

_headroom() {
    local curcontext=$curcontext state
    local -a line
    typeset -A opt_args
    _arguments -C @TOP@ '1:command:->command' '*::argument:->argument' && return
    case $state in
    command)
        local -a commands
        commands=(
@COMMANDS@        )
        _describe command commands
        ;;
    argument)
        curcontext=${curcontext%:*:*}:headroom-$words[1]:
        case $words[1] in
@CASES@        esac
        ;;
    esac
}

if [[ $funcstack[1] == _headroom ]]; then
    _headroom "$@"
else
    compdef _headroom headroom
fi
"""


def script(verbs: list[Verb]) -> str:
    """Return the script."""
    cases = []
    for verb in verbs:
        specs = [_option(row) for row in verb.rows] + ["'(-h --help)'{-h,--help}'[show the help]'"]
        specs += [_argument(verb, place) for place in range(len(verb.arguments))]
        # Behind its first word another command line has flags of its own.
        how = "-s -S -A '-*'" if shared.child(verb) == 0 else "-s -S"
        cases.append(
            f"        {verb.name})\n            _arguments {how} \\\n                "
            + " \\\n                ".join(specs)
            + "\n            ;;\n"
        )
    made = HEAD
    for mark, text in (
        ("@TOP@", " ".join(shared.quote(f"{flag}[{does}]") for flag, does in shared.TOP)),
        ("@COMMANDS@", "".join(f"            {shared.quote(verb.name + ':' + verb.about)}\n" for verb in verbs)),
        ("@CASES@", "".join(cases)), ("@GRANTS@", shared.quote(shared.GRANTS)),
        ("@LEDGER@", shared.quote(shared.LEDGER)), ("@CONFIG@", shared.quote(shared.CONFIG)),
        ("@TAIL@", str(shared.TAIL)), ("@KOMPRESS@", shared.KOMPRESS), ("@TOOLS@", shared.TOOLS),
        ("@CLIENTS@", shared.clients()),
    ):  # fmt: skip
        made = made.replace(mark, text)
    return made


def _argument(verb: Verb, place: int) -> str:
    """Return the spec of an argument for _arguments."""
    argument = verb.arguments[place]
    what = shared.offers(verb, argument)
    if what == "child":
        return shared.quote(f"*:::{argument.name}:{'_headroom_arguments' if shared.names_child(verb) else '_normal'}")
    action = {
        "choices": f"({' '.join(argument.choices)})",
        "handle": "_headroom_forget" if shared.needs(verb, argument) else "_headroom_handle_or_file",
        "kompress": "_headroom_models",
        "client": "_headroom_client",
    }.get(what, "_files")
    if argument.several:
        return shared.quote(f"*:{argument.name}:{action}")
    return shared.quote(f"{place + 1}{'' if argument.required else ':'}:{argument.name}:{action}")


def _option(row: Setting) -> str:
    """Return the spec of one flag for _arguments."""
    about = row.about.replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    action = {
        "": "", "choices": f"({' '.join(row.choices)})", "listed": f"_sequence compadd - {' '.join(row.choices)}",
        "file": "_files", "directory": "_files -/", "model": "_headroom_models_seen",
        "project": "_headroom_projects_seen", "tools": "_headroom_tools_seen", "kompress": "_headroom_models",
    }.get(shared.source(row), " ")  # fmt: skip
    value = f":{row.metavar.replace(':', chr(92) + ':')}:{action}" if action else ""
    again = "*" if row.kind == "texts" else ""
    if len(row.flags) > 1:
        flags = ",".join(flag + ("=" if value and flag.startswith("--") else "") for flag in row.flags)
        return f"'({' '.join(row.flags)})'{{{flags}}}{shared.quote(f'[{about}]{value}')}"
    return shared.quote(f"{again}{row.flags[0]}{'=' if value else ''}[{about}]{value}")
