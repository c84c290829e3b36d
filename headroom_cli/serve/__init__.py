"""The proxy: all that is asynchronous in this program. Requests of agents in, the same requests with less in them out.

    server.py     sockets, workers, signals, the line that says where it listens
    protocol.py   HTTP/1.1 as bytes: what may not come in is refused here
                  (framing.py: heads and chunks; lines.py: reading, writing, closing)
    gate.py       who may ask at all: Host, Origin, token
    listening.py  where we may listen, and the sockets
    app.py        one request: gate -> route -> handler
    exchange.py   one request and its answer, as handlers see it
    routes.py     the table of paths
    body.py       a request's body, whole and decoded, within limits
    room.py       the memory that the bodies of all requests share
    decoding.py   content encodings undone, bounded at every step
    messages.py   requests that hold conversations: shortened, sent, answered; turn.py one turn on its way back
    passing.py    requests that go through as they are
    websocket.py  the Responses API over a WebSocket
    tap.py        reads along in a stream that passes: usage, and whether it came to its end
                  (signs.py: what its events say; frames.py: AWS frames)
    upstream.py   connections to providers; access.py tokens that some want first
    engines.py    the pool of worker processes that shorten; engine_process.py is one as seen from the loop, engine.py
                  from inside; work.py what they do, jobs.py in which words they are asked and answer
    holding.py    requests that wait for a shared store to come back
    own.py        routes of our own that do something: /v1/compress, /v1/retrieve
    pages.py      those that show something: /livez, /readyz, /stats, /metrics, /dashboard (dashboard.html)
    counts.py     what happened, in numbers; figures.py as JSON, metrics.py for Prometheus, prices.py what usage means
    replies.py    answers of our own
    said.py       what is said on standard error
    options.py    everything that was asked for at start
    mcp/          another server, and a wrapper around those of others: see its __init__.py

Nothing here computes for longer than a millisecond or two: whatever reads a whole conversation runs in a worker process
that can be killed. If that fails, the request goes as it came.
"""
