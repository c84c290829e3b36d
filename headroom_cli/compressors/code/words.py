"""The rare words of what is left out: names that stand nowhere in what is kept."""

from __future__ import annotations

from headroom_cli.lazy import pattern

WORD = pattern(r"[^\W\d]\w*")
_STRING = pattern(r"\"(?:[^\"\\\n]|\\.){0,400}\"|'(?:[^'\\\n]|\\.){0,400}'|`(?:[^`\\\n]|\\.){0,400}`")
_RAISES = pattern(
    r"\b(?:raise|throw|throws|panic!?|bail!|ensure!|fatalError|preconditionFailure|assert\w*!?|abort|die|exit|fail|unreachable!|todo!"
    r"|unimplemented!|(?:log|logger|logging|console|slog)\.(?:error|fatal|critical|panic\w*)|log\.Fatal\w*|errors\.New|fmt\.Errorf|err(?:or)?)\b"
)
_CALL = pattern(r"([^\W\d]\w*)[!?]?\(")
# Words of the languages themselves, and names that say nothing of a body.
_COMMON = frozenset(
    "if else elif elsif for foreach while do done fi then case esac switch match when break continue return yield await async "
    "def class fn func fun function struct enum impl trait interface type typedef namespace module package import from use using "
    "as in is not and or new delete del try catch except finally raise throw throws with let const var val mut pub public private "
    "protected internal static final abstract override virtual extends implements super this self Self cls None True False true "
    "false null nil undefined void int long short char float double bool boolean byte string str String unsigned signed size_t "
    "auto goto default lambda pass global nonlocal assert typeof instanceof end begin rescue ensure unless until loop "
    "move ref dyn where guard defer go chan map range make len append echo local print println printf it to of the a an".split()
)


def words_of(text: str) -> list[str]:
    """Return the names in a piece of code in order, repeats included, without what stands in strings."""
    return WORD.findall(_STRING.sub('""', text))


def visible(text: str) -> set[str]:
    """Return every word that stands in the kept text."""
    return set(WORD.findall(text))


def rare(lines: list[str], seen: set[str], most: int) -> list[str]:
    """Return up to ``most`` names of elided lines that are not in ``seen``, in order of appearance; add them to it.

    What is called and what is raised goes before what is only assigned.
    """
    text = "\n".join(lines)
    order: dict[str, int] = {}
    for word in words_of(text):
        if word not in seen and word not in _COMMON and len(word) > 1:
            order[word] = order.get(word, 0) + 1
    if not order:
        return []
    if len(order) > most:
        called = set(_CALL.findall(text))
        weight = {
            word: (3 if word in called else 0) + min(times, 3) + (len(word) > 3) + (word[0].isupper() or "_" in word)
            for word, times in order.items()
        }
        best = set(sorted(order, key=weight.__getitem__, reverse=True)[:most])
        chosen = [word for word in order if word in best]
    else:
        chosen = list(order)
    seen.update(chosen)
    return chosen
