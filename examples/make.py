"""Write the example inputs: an agent's conversation and the blobs it read. Made up for this project, same every time.

python examples/make.py        writes trace.json and one file of every kind beside this file
"""

import json
import random
from pathlib import Path

import texts

HERE = Path(__file__).parent
NODES = ("ip-10-0-1-17", "ip-10-0-2-40", "ip-10-0-3-8")
SERVICES = ("checkout", "cart", "catalog", "payments", "search", "session", "emails", "gateway")


def pods(rng: random.Random) -> str:
    """Return what ``kubectl get pods -o json`` prints for 60 pods, three of them in trouble."""
    items = []
    for i in range(60):
        name = SERVICES[i % len(SERVICES)]
        tail = f"{rng.getrandbits(36):09x}"[:9] + "-" + "".join(rng.choices("bcdfghjklmnpqrstvwxz2456789", k=5))
        state: dict[str, object] = {"running": {"startedAt": f"2026-11-1{i % 9}T0{i % 10}:12:4{i % 10}Z"}}
        ready, restarts, phase = True, 0, "Running"
        if i == 19:
            ready, restarts = False, 214
            state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
        if i == 33:
            ready, phase = False, "Pending"
            state = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image payments:2.14.1"}}
        if i == 47:
            ready, restarts = False, 9
            state = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
        image = f"registry.example.com/shop/{name}:2.{14 + i % 2}.0"
        items.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"{name}-{tail}",
                    "namespace": "shop",
                    "labels": {"app": name, "pod-template-hash": tail[:9], "tier": "backend"},
                    "resourceVersion": str(88_120_400 + 37 * i),
                    "uid": f"{rng.getrandbits(32):08x}-4b1e-4a7c-9d0f-{rng.getrandbits(48):012x}",
                },
                "spec": {
                    "containers": [
                        {
                            "image": image,
                            "imagePullPolicy": "IfNotPresent",
                            "name": name,
                            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                            "resources": {
                                "limits": {"memory": "512Mi"},
                                "requests": {"cpu": "100m", "memory": "256Mi"},
                            },
                        }
                    ],
                    "nodeName": NODES[i % 3],
                    "restartPolicy": "Always",
                    "serviceAccountName": "default",
                },
                "status": {
                    "phase": phase,
                    "podIP": f"10.0.{1 + i % 3}.{20 + i}",
                    "qosClass": "Burstable",
                    "containerStatuses": [{"name": name, "ready": ready, "restartCount": restarts, "state": state}],
                },
            }
        )
    return json.dumps(
        {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}, indent=4
    )


def app_log(rng: random.Random) -> str:
    """Return 700 lines of a service's log with five kinds of trouble in it."""
    lines = []
    seconds = 0.0
    for i in range(700):
        seconds += rng.random() * 3
        stamp = f"2026-11-18T09:{int(seconds // 60) % 60:02d}:{seconds % 60:06.3f}Z"
        worker = f"worker-{rng.randrange(8)}"
        order = 40_000 + rng.randrange(9_000)
        kind = rng.random()
        if i == 412:
            lines.append(f"{stamp} ERROR {worker} payment for order {order} refused: card_declined (HTTP 402)")
            lines.append("Traceback (most recent call last):")
            lines.append('  File "/srv/shop/payments/charge.py", line 88, in charge')
            lines.append("    response.raise_for_status()")
            lines.append('  File "/srv/shop/http.py", line 41, in raise_for_status')
            lines.append("    raise GatewayError(self.status, self.body)")
            lines.append("shop.http.GatewayError: 402 card_declined")
        elif i in (133, 134, 520):
            lines.append(f"{stamp} WARN {worker} pool exhausted: 40 of 40 connections in use, waited {300 + i} ms")
        elif i == 611:
            lines.append(f"{stamp} ERROR {worker} cannot reach redis-2:6379: Connection refused")
        elif i == 640:
            lines.append(f"{stamp} FATAL supervisor {worker} exited with status 137")
        elif kind < 0.55:
            lines.append(f"{stamp} INFO {worker} GET /api/cart/{order} 200 {rng.randrange(3, 90)} ms")
        elif kind < 0.85:
            lines.append(f"{stamp} DEBUG {worker} cache hit key=cart:{order} age={rng.randrange(600)}")
        else:
            lines.append(f"{stamp} INFO {worker} order {order} stored, {rng.randrange(1, 9)} items")
    return "\n".join(lines) + "\n"


def pytest_output() -> str:
    """Return a test run of 180 tests, two of which fail."""
    lines = ["============================= test session starts =============================="]
    lines += [
        "platform linux -- Python 3.12.7, pytest-8.3.4, pluggy-1.5.0 -- /usr/bin/python3",
        "collected 180 items",
        "",
    ]
    for i in range(180):
        state = "FAILED" if i in (71, 150) else "PASSED"
        module = SERVICES[i * len(SERVICES) // 180]
        lines.append(f"tests/test_{module}.py::test_{module}_case_{i:03d} {state} [{(i + 1) * 100 // 180:3d}%]")
    lines += ["", "=================================== FAILURES ==================================="]
    lines += ["____________________________ test_payments_case_071 ____________________________", ""]
    lines += ["    def test_payments_case_071():", '        order = Order(total="19.90", currency="EUR")']
    lines += [
        ">       assert charge(order).status == 'captured'",
        "E       AssertionError: assert 'declined' == 'captured'",
    ]
    lines += ["E         - captured", "E         + declined", "", "tests/test_payments.py:143: AssertionError"]
    lines += ["____________________________ test_emails_case_150 ______________________________", ""]
    lines += [
        ">       assert 'VAT' in render(receipt)",
        "E       KeyError: 'vat_rate'",
        "",
        "shop/emails/receipt.py:57: KeyError",
    ]
    lines += ["=========================== short test summary info ============================"]
    lines += ["FAILED tests/test_payments.py::test_payments_case_071 - AssertionError: assert 'declined' == 'captured'"]
    lines += ["FAILED tests/test_emails.py::test_emails_case_150 - KeyError: 'vat_rate'"]
    lines += ["======================== 2 failed, 178 passed in 14.83s ========================"]
    return "\n".join(lines) + "\n"


def events(rng: random.Random) -> str:
    """Return 200 lines of JSON, as an event export writes them."""
    lines = []
    for i in range(200):
        event: dict[str, object] = {
            "id": 9_000 + i,
            "type": rng.choice(("order.created", "order.paid", "order.shipped")),
            "at": f"2026-11-18T09:{i % 60:02d}:00Z",
            "amount": f"{rng.randrange(500, 9_000) / 100:.2f}",
            "currency": "EUR",
            "ok": True,
        }
        if i == 91:
            event |= {"ok": False, "error": "webhook timed out after 30 s", "amount": "914.00"}
        lines.append(json.dumps(event))
    return "\n".join(lines) + "\n"


def trace(outputs: list[tuple[str, str]]) -> str:
    """Return an Anthropic Messages request: a question, then one tool call and its result for each output."""
    ask = "Checkout fails for some customers since this morning. Find out why and tell me what to fix first."
    messages: list[dict[str, object]] = [{"role": "user", "content": ask}]
    thoughts = (
        "I will look at the pods first.",
        "One pod restarts all the time. The log of the service should say why.",
        "The gateway refuses cards and redis-2 is down. I will run the tests to see what they say.",
        "Now the exported events, to see which orders are affected.",
    )
    for i, (command, output) in enumerate(outputs):
        identifier = f"toolu_{i:04d}example"
        call = {"type": "tool_use", "id": identifier, "name": "Bash", "input": {"command": command}}
        messages.append({"role": "assistant", "content": [{"type": "text", "text": thoughts[i]}, call]})
        result = {"type": "tool_result", "tool_use_id": identifier, "content": output}
        messages.append({"role": "user", "content": [result]})
    request = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 4096,
        "system": "You are an on-call engineer's assistant. Be brief. Name files and lines.",
        "tools": [
            {
                "name": "Bash",
                "description": "Run a command in a shell and return what it prints.",
                "input_schema": {
                    "type": "object",
                    "properties": {"command": {"type": "string"}},
                    "required": ["command"],
                },
            }
        ],
        "messages": messages,
    }
    return json.dumps(request, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write the files."""
    rng = random.Random(20_261_118)
    made = {"pods.json": pods(rng), "app.log": app_log(rng), "pytest.txt": pytest_output(), "events.jsonl": events(rng)}
    commands = (
        "kubectl get pods -n shop -o json",
        "kubectl logs deploy/payments -n shop",
        "pytest -v",
        "cat events.jsonl",
    )
    made["trace.json"] = trace(list(zip(commands, made.values(), strict=True)))
    made |= {
        "charge.py": texts.code(),
        "retry.txt": texts.search(),
        "files.txt": texts.listing(),
        "fix.diff": texts.diff(),
        "pods.txt": texts.table(),
        "status.html": texts.page(),
        "runbook.md": texts.prose(),
        "session.txt": texts.session(made["app.log"], texts.listing()),
    }
    for name, text in made.items():
        (HERE / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(text):,} bytes")


if __name__ == "__main__":
    main()
