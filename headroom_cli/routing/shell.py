"""How a shell command divides: pipelines, their stages, and the program and arguments of a stage."""

from __future__ import annotations

_LIMIT = 4000  # characters of a command that are read; heredocs carry whole files
_PREFIXES = frozenset((
    "sudo", "time", "nice", "nohup", "env", "command", "exec", "stdbuf", "unbuffer", "script", "winpty", "npx",
    "bunx", "pnpx", "then", "do", "else", "!",
))  # fmt: skip


def pipelines(command: str) -> list[list[list[str]]]:
    """Split a command line into statements, of pipelines, of words; quotes are obeyed, heredoc bodies ignored."""
    statements: list[list[list[str]]] = [[[]]]
    word = ""
    quoted = False
    quote = ""
    i, end = 0, min(len(command), _LIMIT)
    while i < end:
        c = command[i]
        i += 1
        if quote:
            if c == quote:
                quote = ""
            elif c == "\\" and quote == '"' and i < end:
                word += command[i]
                i += 1
            else:
                word += c
            continue
        if c in "'\"":
            quote, quoted = c, True
        elif c == "\\" and i < end:
            if command[i] != "\n":
                word += command[i]
            i += 1
        elif c in " \t\n;|&":
            if c == "&" and word.endswith(">"):
                word += c
                continue
            if word or quoted:
                statements[-1][-1].append(word)
                word, quoted = "", False
            pair = c + command[i : i + 1]
            if c in "\n;" or pair in ("&&", "||"):
                statements.append([[]])
                i += pair in ("&&", "||")
            elif c == "|":
                statements[-1].append([])
        elif c == "#" and not word:
            while i < end and command[i] != "\n":
                i += 1
        elif c == "<" and command[i : i + 1] == "<":
            break
        else:
            word += c
    if word:
        statements[-1][-1].append(word)
    return [[stage for stage in pipeline if stage] for pipeline in statements if any(pipeline)]


def program(stage: list[str]) -> tuple[str, list[str]]:
    """Return a stage's program without its path, and its arguments, without sudo, assignments and the like."""
    i = 0
    while i < len(stage):
        word = stage[i]
        if word in _PREFIXES or (not word.startswith("-") and "=" in word.split("/")[0] and word[0].isalpha()):
            i += 1
        elif word in ("timeout", "xargs"):
            i += 1
            while i < len(stage) and (stage[i].startswith("-") or stage[i][:1].isdigit()):
                i += 1
        elif word.startswith("-") and i:
            i += 1
        else:
            break
    if i >= len(stage):
        return "", []
    return stage[i].replace("\\", "/").rpartition("/")[2], stage[i + 1 :]
