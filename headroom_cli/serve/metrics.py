"""Counts in the text format that Prometheus reads (version 0.0.4). Sets of labels are bounded by counts.py."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from headroom_cli.serve.counts import Counts, Histogram

    Sample = tuple[Mapping[str, str], float]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def text(counts: Counts, engines: Mapping[str, object] | None = None) -> str:
    """Return all metrics. ``engines`` are the numbers of the worker pool."""
    lines: list[str] = []

    def add(name: str, about: str, samples: Iterable[Sample], kind: str = "counter") -> None:
        lines.append(f"# HELP headroom_{name} {about}")
        lines.append(f"# TYPE headroom_{name} {kind}")
        lines.extend(f"headroom_{name}{_labels(labels)} {_number(value)}" for labels, value in samples)

    def by(label: str, sums: Mapping[str, int]) -> list[Sample]:
        return [({label: name}, count) for name, count in sums.items()]

    add("start_time_seconds", "When counting began, in Unix seconds.", [({}, counts.started)], "gauge")
    add("requests_total", "Requests that were answered, by class of status.", by("status", counts.statuses))
    add("requests_by_route_total", "Requests that were answered, by route.", by("route", counts.routes))
    add("requests_by_provider_total", "Requests that were answered, by provider.", by("provider", counts.providers))
    add("requests_shortened_total", "Requests in which something was saved.", [({}, counts.shortened)])
    add("not_shortened_total", "Requests in which nothing was saved, by reason.", by("reason", counts.why))
    add("errors_total", "Requests that failed, by reason.", by("reason", counts.errors))
    add("hops_total", "Calls to providers.", [({}, counts.hops)])
    add("originals_served_total", "Originals given back to models.", [({}, counts.served)])
    add("marked_blocks_total", "Blocks sent with a marker.", [({}, counts.marked)])
    add(
        "estimated_tokens_total", "Tokens of requests before and after, estimated.",
        [({"stage": "before"}, counts.before), ({"stage": "after"}, counts.after)],
    )  # fmt: skip
    kinds = counts.kinds.items()
    add(
        "kind_estimated_tokens_total", "Tokens of blocks before and after, by kind, estimated.",
        [({"kind": name, "stage": stage}, count) for name, kind in kinds
         for stage, count in (("before", kind.before), ("after", kind.after))],
    )  # fmt: skip
    add("kind_blocks_total", "Blocks met, by kind.", [({"kind": name}, kind.blocks) for name, kind in kinds])
    add(
        "kept_blocks_total", "Blocks that stayed as they were, by kind and reason.",
        [({"kind": name, "reason": reason}, count) for name, kind in kinds for reason, count in kind.kept.items()],
    )  # fmt: skip
    add(
        "usage_tokens_total", "Tokens by what is paid for them, as providers count them.",
        [({"part": part}, count) for part, count in counts.usage.items()],
    )  # fmt: skip
    models = counts.models.items()
    add(
        "model_usage_tokens_total", "The same by model.",
        [({"model": name, "part": part}, count) for name, model in models for part, count in model.usage.items()],
    )  # fmt: skip
    add(
        "model_estimated_tokens_total", "Tokens of requests before and after, by model, estimated.",
        [({"model": name, "stage": stage}, count) for name, model in models
         for stage, count in (("before", model.before), ("after", model.after))],
    )  # fmt: skip
    add("input_price_total", "What usage cost, in tokens of plain input; measured.", [({}, counts.price)])
    add(
        "saved_price", "What was saved, less what was added, in tokens of plain input; estimated.",
        [({}, counts.saving)], "gauge",
    )  # fmt: skip
    if engines:
        _engines(add, engines)
    for name, about, histogram in (
        ("engine_seconds", "Time that shortening a request took.", counts.engine),
        ("first_byte_seconds", "Time until the first byte of the answer left, with the provider's.", counts.first),
        ("request_seconds", "Time until the answer was whole, with the provider's.", counts.total),
    ):
        lines += _histogram(f"headroom_{name}", about, histogram)
    return "\n".join(lines) + "\n"


def _engines(add: Callable[[str, str, Iterable[Sample]], None], said: Mapping[str, object]) -> None:
    """Add the numbers of the worker pool: done, restarts, and failed by reason."""
    failed = said.get("failed")
    for name, about in (("done", "Jobs that workers did."), ("restarts", "Workers that were replaced.")):
        if isinstance(count := said.get(name), int):
            add(f"engine_{name}_total", about, [({}, count)])
    if isinstance(failed, dict):
        samples: list[Sample] = [({"reason": str(reason)}, count) for reason, count in failed.items()]
        add("engine_failed_total", "Jobs that failed, by reason.", samples)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{said.translate(_ESCAPES)}"' for name, said in labels.items()) + "}"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(round(value, 6))


def _histogram(name: str, about: str, histogram: Histogram) -> list[str]:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} histogram"]
    sum_so_far = 0
    for bound, count in zip(histogram.bounds, histogram.buckets, strict=False):
        sum_so_far += count
        lines.append(f'{name}_bucket{{le="{bound / 1000:g}"}} {sum_so_far}')
    whole = histogram.count
    return [
        *lines, f'{name}_bucket{{le="+Inf"}} {whole}', f"{name}_sum {_number(histogram.sum / 1000)}",
        f"{name}_count {whole}",
    ]  # fmt: skip
