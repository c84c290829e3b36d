"""The completion for bash: without the bash-completion package, also under ``set -u`` and ``shopt -s failglob``."""

from __future__ import annotations

from headroom_cli.cli import completions as shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.cli.options import Verb
    from headroom_cli.settings import Setting

HEAD = """\
# shellcheck shell=bash disable=SC2207
_headroom_store() { # the directory of the store, into $store
    local at word config=${HOME-}/.config data=${HOME-}/.local/share
    store=${HEADROOM_STORE-}
    for ((at = 2; at < COMP_CWORD; at++)); do
        [[ ${COMP_WORDS[at]} == -- ]] && break
        [[ ${COMP_WORDS[at]} == --store ]] || continue
        word=${COMP_WORDS[at + 1]-}
        [[ $word == = ]] && word=${COMP_WORDS[at + 2]-}
        word=${word//[\\\\\\"\\']/}
        store=${word/#\\~\\//${HOME-}/}
    done
    [[ ${XDG_CONFIG_HOME-} == /* ]] && config=$XDG_CONFIG_HOME
    [[ ${XDG_DATA_HOME-} == /* ]] && data=$XDG_DATA_HOME
    [[ -z $store && -f $config/headroom/config.toml ]] &&
        store=$(awk @CONFIG@ "$config/headroom/config.toml")
    [[ $store ]] || store=$data/headroom/store
}

_headroom_newest() { # the ends of the two newest files of a folder of the store: folder, pattern
    local store file one='' two=''
    shopt -u failglob nullglob
    set +f +u
    _headroom_store
    for file in "$store/$1"/$2; do
        [[ -f $file && -r $file ]] && one=$two two=$file
    done
    for file in "$one" "$two"; do
        [[ $file ]] && tail -c @TAIL@ -- "$file"
    done
}

_headroom_handles() {
    (_headroom_newest grants 'owner-*.log' | LC_ALL=C awk @GRANTS@) 2>/dev/null
}

_headroom_seen() { # what the ledger knows of a member: model, project, tools
    (_headroom_newest ledger '*.jsonl' | LC_ALL=C awk -v member="$1" @LEDGER@) 2>/dev/null
}

_headroom_models() { # models that shorten prose
    (
        shopt -u failglob
        shopt -s nullglob
        data=${HOME-}/.local/share
        [[ ${XDG_DATA_HOME-} == /* ]] && data=$XDG_DATA_HOME
        printf '%s\\n' @KOMPRESS@
        for file in "$data"/headroom/models/*/; do
            file=${file%/}
            [[ ${file##*/} == [A-Za-z0-9]* ]] && printf '%s\\n' "${file##*/}"
        done | LC_ALL=C grep -x '[A-Za-z0-9._-]*'
    ) 2>/dev/null
}

_headroom_offer() { # the lines of standard input that go on as the current word does, behind what stands before it
    local line known=' '
    while IFS= read -r line; do
        [[ $line && $line == "$current"* && $known != *" $line "* ]] || continue
        known+="$line "
        COMPREPLY+=("${1-}$line")
    done
}

_headroom_words() {
    _headroom_offer "${2-}" <<<"${1// /$'\\n'}"
}

_headroom_listed() { # words that may follow the last comma
    local before='' current=$current
    [[ $current == *,* ]] && before=${current%,*},
    current=${current##*,}
    _headroom_offer "$before"
    compopt -o nospace 2>/dev/null
}

_headroom_files() {
    _headroom_offer < <(compgen "${1--f}" -- "$current")
    compopt -o filenames 2>/dev/null
}

_headroom_child() { # hand over to the completion of another command: its words
    local program=${1##*/} given loaded=''
    if (($# == 1)); then
        _headroom_offer < <(compgen -c -- "$current")
        return
    fi
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMP_LINE="$*"
    COMP_POINT=${#COMP_LINE}
    if ! given=$(complete -p -- "$program" 2>/dev/null); then
        for loaded in _comp_load _completion_loader; do
            declare -F $loaded >/dev/null || continue
            $loaded "$program" >/dev/null 2>&1
            given=$(complete -p -- "$program" 2>/dev/null) && break
        done
    fi
    if [[ $given =~ ' -F '([^ ]+)' ' ]]; then
        "${BASH_REMATCH[1]}" "$program" "$current" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
    elif [[ $given == *' -W '* ]]; then
        given=${given#complete }
        _headroom_offer < <(eval "compgen ${given% *} -- \\"\\$current\\"" 2>/dev/null)
    fi
}

_headroom() {
    local IFS=$' \\t\\n' current=${COMP_WORDS[COMP_CWORD]-} previous=${COMP_WORDS[COMP_CWORD - 1]-}
    local flags='' valued='' place=0 child=-1 named='' first='' start=0 at word
    COMPREPLY=()
    ((COMP_CWORD)) || return
    # bash splits --level=max into three words
    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $current == = ]] && current=
    if ((COMP_CWORD == 1)); then
        _headroom_words '@VERBS@'
        return
    fi
    case ${COMP_WORDS[1]} in
@FLAGS@    *) return ;;
    esac
    for ((at = 2; at < COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ $word == -- && child -ge 0 ]]; then
            start=$((at + 1))
            break
        elif [[ ${COMP_WORDS[at + 1]-} == = ]]; then
            ((at += 2))
        elif [[ " $valued " == *" $word "* ]]; then
            ((at++))
        elif [[ $word == -?* ]]; then
            continue
        elif ((child == place)); then
            start=$at
            break
        else
            [[ $first ]] || first=$word
            ((place++))
        fi
    done
    if ((start)); then
        if [[ $named && $first ]]; then
            _headroom_child "$first" "${COMP_WORDS[@]:start:COMP_CWORD-start}" "$current"
        else
            _headroom_child "${COMP_WORDS[@]:start:COMP_CWORD-start}" "$current"
        fi
        return
    fi
    case " $valued " in *" $previous "*) case ${COMP_WORDS[1]}$previous in
@VALUES@    *) compopt +o default 2>/dev/null; return ;;
    esac ;; esac
    if [[ $current == -* ]]; then
        _headroom_words "$flags"
        return
    fi
    case ${COMP_WORDS[1]}$place in
@PLACES@    esac
}
complete -o default -F _headroom headroom
"""


def script(verbs: list[Verb]) -> str:
    """Return the script."""
    flags, values, places = [], [], []
    for verb in verbs:
        spelt = " ".join([flag for row in verb.rows for flag in row.flags] + ["--help"])
        more = f" child={shared.child(verb)}" if shared.child(verb) >= 0 else ""
        more += " named=1" if shared.names_child(verb) else ""
        flags.append(f"    {verb.name}) flags='{spelt}' valued='{' '.join(shared.valued(verb))}'{more} ;;\n")
        for place, argument in enumerate(verb.arguments):
            if does := _argument(verb, place):
                places.append(f"    {verb.name}{place}) {does} ;;\n")
            if shared.offers(verb, argument) == "child":
                places.append(f'    {verb.name}{place}) _headroom_child "$current" ;;\n')
    rows: dict[str, list[str]] = {}  # what completes -> verb and flag
    for verb in verbs:
        for row in verb.rows:
            if does := _value(row):
                rows.setdefault(does, []).extend(verb.name + flag for flag in row.flags)
    for does, spelt_by in rows.items():
        values.append(f"    {' | '.join(spelt_by)}) {does}; return ;;\n")
    names = " ".join([verb.name for verb in verbs] + [flag for flag, _ in shared.TOP])
    made = HEAD
    for mark, text in (
        ("@VERBS@", names), ("@FLAGS@", "".join(flags)), ("@VALUES@", "".join(values)), ("@PLACES@", "".join(places)),
        ("@GRANTS@", shared.quote(shared.GRANTS)), ("@LEDGER@", shared.quote(shared.LEDGER)),
        ("@CONFIG@", shared.quote(shared.CONFIG)), ("@TAIL@", str(shared.TAIL)), ("@KOMPRESS@", shared.KOMPRESS),
    ):  # fmt: skip
        made = made.replace(mark, text)
    return made


def _value(row: Setting) -> str:
    """Return the command that completes a flag's value, "" for none."""
    listed = "_headroom_listed <<<" + shared.quote("\n".join(row.choices))
    return {
        "choices": f"_headroom_words '{' '.join(row.choices)}'",
        "listed": listed,
        "file": "_headroom_files",
        "directory": "_headroom_files -d",
        "model": "_headroom_offer < <(_headroom_seen model)",
        "project": "_headroom_offer < <(_headroom_seen project)",
        "tools": f"_headroom_listed < <(printf '%s\\n' {shared.TOOLS}; _headroom_seen tools)",
        "kompress": "_headroom_offer < <(_headroom_models)",
    }.get(shared.source(row), "")


def _argument(verb: Verb, place: int) -> str:
    """Return the command that completes an argument, "" for what bash does by itself: files."""
    argument = verb.arguments[place]
    what = shared.offers(verb, argument)
    if what == "choices":
        return f"_headroom_words '{' '.join(argument.choices)}'"
    if what == "client":
        return f"_headroom_offer < <(printf '%s\\n' {shared.clients()}; compgen -c -- \"$current\")"
    if what == "kompress":
        return "_headroom_offer < <(_headroom_models)"
    if what == "handle":
        only = shared.needs(verb, argument)
        asked = f"[[ $first == {only} ]]" if only else "[[ \" ${COMP_WORDS[*]} \" != *' --expand '* ]]"
        return f"{asked} && _headroom_offer < <(_headroom_handles)"
    return ""
