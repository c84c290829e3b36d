"""Counts as JSON, for /stats and the dashboard. The keys are documented in docs/proxy-stats.md."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from headroom_cli.serve.counts import Counts, Done, Histogram, Model

UNIT = "tokens of plain input"
_LISTED = 10


def stats(counts: Counts, since: int = 0) -> dict[str, Any]:
    """Return all sums, and of the last requests those that ended behind the ``since``-th."""
    usage = counts.usage
    sent = sum(usage.values()) - usage["output"]
    return {
        "v": 1,
        "now": round(time.time(), 3),
        "started": round(counts.started, 3),
        "process": os.getpid(),
        "requests": {
            "total": counts.requests, "shortened": counts.shortened, "by_status": counts.statuses,
            "by_route": counts.routes, "by_provider": counts.providers, "hops": counts.hops,
        },
        "tokens": {
            "estimated": True, "before": counts.before, "after": counts.after, "saved": counts.before - counts.after,
            "marked_blocks": counts.marked, "originals_served": counts.served,
        },
        "kinds": {
            name: {
                "blocks": kind.blocks, "before": kind.before, "after": kind.after, "saved": kind.before - kind.after,
                "kept": kind.kept,
            } for name, kind in counts.kinds.items()
        },
        "usage": {
            "requests": counts.used, **usage, "input": sent, "hit_share": _share(usage["cache_read"], sent),
        },
        "money": {
            "unit": UNIT, "measured": round(counts.price, 1), "estimated_saving": round(counts.saving, 1),
            "not_priced": counts.unpriced,
        },
        "models": {name: _model(model) for name, model in counts.models.items()},
        "why_not": counts.why,
        "errors": counts.errors,
        "times": {
            "engine": _times(counts.engine), "first_byte": _times(counts.first), "whole": _times(counts.total),
        },
        "minutes": list(counts.minutes),
        "slowest": _most(counts, "ms"),
        "skipped": _most(counts, "before", kept=True),
        "order": counts.requests,
        "last": [_request(done, counts) for done in counts.last if done.order > since],
    }  # fmt: skip


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _model(model: Model) -> dict[str, Any]:
    sent = sum(model.usage.values()) - model.usage["output"]
    return {
        "requests": model.requests, "before": model.before, "after": model.after,
        "usage": {"requests": model.used, **model.usage, "input": sent,
                  "hit_share": _share(model.usage["cache_read"], sent)},
        "rules": model.rules or None,
        "measured": round(model.price, 1) if model.rules else None,
        "estimated_saving": round(model.saving, 1) if model.rules else None,
        "all_priced": model.priced,
    }  # fmt: skip


def _times(histogram: Histogram) -> dict[str, Any]:
    return {
        "count": histogram.count, "sum_ms": round(histogram.sum, 1), "half_within_ms": histogram.within(0.5),
        "most_within_ms": histogram.within(0.99), "bounds_ms": histogram.bounds, "buckets": histogram.buckets,
    }  # fmt: skip


def _most(counts: Counts, name: str, *, kept: bool = False) -> list[dict[str, Any]]:
    """Return the rows with the most of something, of a block that many requests of a conversation held the most."""
    found: dict[tuple[str, str, str], tuple[float, int, dict[str, Any]]] = {}
    for done in counts.last:
        conversation = done.conversation or str(done.number)
        for row in done.slow:
            much = row.get(name, 0)
            if much and (row.get("kept") or not kept):
                place = (conversation, row.get("path", ""), row.get("kind", ""))
                known = found.get(place)
                if known is None or much > known[0]:
                    found[place] = (much, done.number, row)
    return [_block(number, row) for _, number, row in sorted(found.values(), key=lambda one: -one[0])[:_LISTED]]


def _block(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": number, "path": row.get("path", ""), "kind": row.get("kind", ""), "before": row.get("before", 0),
        "after": row.get("after", 0), "kept": row.get("kept", ""), "ms": round(row.get("ms", 0.0), 2),
    }  # fmt: skip


def _request(done: Done, counts: Counts) -> dict[str, Any]:
    return {
        "number": done.number, "order": done.order, "when": round(done.when, 3), "route": done.route,
        "shape": done.shape, "model": done.model, "provider": done.provider, "status": done.status,
        "error": done.error, "billed": done.billed, "why_not": done.why, "before": done.before, "after": done.after,
        "kinds": {name: [said.get("before", 0), said.get("after", 0)] for name, said in done.kinds.items()},
        "usage": done.usage, "engine_ms": round(done.engine_ms, 2), "first_ms": round(done.first_ms, 2),
        "total_ms": round(done.total_ms, 2), "hops": done.hops, "marked": done.marked, "served": done.served,
        "conversation": done.conversation[:12], "texts": counts.bodies(done.number) is not None,
    }  # fmt: skip
