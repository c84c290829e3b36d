"""A server as bytes: what stands behind "say" in a line comes out as it is, base64; it logs what it gets.

python tests/mcp_fake.py LOG [STATUS]
"""

import base64
import json
import sys

with open(sys.argv[1], "wb", buffering=0) as log:
    for line in sys.stdin.buffer:
        log.write(line)
        try:
            value = json.loads(line)
            say = value["say"] if "say" in value else value["params"]["arguments"]["say"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        sys.stdout.buffer.write(base64.b64decode(say))
        sys.stdout.buffer.flush()
print("the end", file=sys.stderr)
sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
