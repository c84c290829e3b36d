"""Whether time grows as it may, by as few runs as decide it."""


def within(large, small=None, *, factor=1.0, slack=0.0, runs=3):
    """Whether the quickest run of ``large`` takes less than ``slack`` and ``factor`` times the quickest of ``small``.

    Both are functions that do the work once and return its seconds; of each there are at most ``runs`` runs. A busy
    machine slows one run down, not all of them, so the first one that is quick enough decides; and what takes less
    than the slack alone needs no comparison.
    """
    first = large()
    if first < slack:
        return True
    limit = slack + (factor * min(small() for _ in range(runs)) if small else 0.0)
    return first < limit or any(large() < limit for _ in range(runs - 1))
