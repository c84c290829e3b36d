"""Plays scenarios: in this process for the newest SDKs, as a program for those that live apart.

``python tests/scenarios_play.py CLIENT URL,URL [NAME ...]`` prints one line of JSON for each scenario: its name, and
what its caller saw at each address.
"""

import asyncio
import inspect
import json
import sys

import scenarios_claude
import scenarios_gpt
from scenarios import TABLE, Clients, heads

MODULES = (scenarios_claude, scenarios_gpt)  # they fill the table


def failure(error):
    """Return what the caller of an SDK can see of its exception."""
    response = getattr(error, "response", None)
    return {
        "class": type(error).__name__,
        "above": [parent.__name__ for parent in type(error).__mro__[1:-1]],
        "said": str(error),
        "status": getattr(error, "status_code", None),
        "body": getattr(error, "body", None),
        "request": getattr(error, "request_id", None),
        "type": getattr(error, "type", None),
        "code": getattr(error, "code", None),
        "headers": None if response is None else heads(response.headers),
    }


def plain(value):
    """Return what a scenario returned as JSON has it."""
    if hasattr(value, "model_dump"):
        # Older ones complain where a type of theirs is not what came; what came is compared.
        return value.model_dump(mode="json", warnings=False)
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.hex()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"a scenario returned {type(value)}")


def play(name, url, client, of=Clients):
    """Run one scenario against an address; return what its caller sees, an exception too.

    ``of`` makes the clients of a scenario.
    """
    made = TABLE[name].run
    clients = of(url, f"{name}.{client}")
    try:
        value = asyncio.run(made(clients)) if inspect.iscoroutinefunction(made) else made(clients)
        return json.loads(json.dumps(plain(value)).replace(url, "URL"))
    except Exception as error:  # noqa: BLE001 (whatever comes is compared)
        return json.loads(json.dumps({"raised": failure(error)}, default=repr).replace(url, "URL"))


def main():
    """Print what came of each scenario, one line each."""
    client, urls, *names = sys.argv[1:]
    for name in names or [name for name, made in TABLE.items() if made.older]:
        print(json.dumps([name, *(play(name, url, client) for url in urls.split(","))]), flush=True)


if __name__ == "__main__":
    main()
