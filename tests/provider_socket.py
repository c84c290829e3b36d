"""The fake provider's Responses API over a WebSocket: each message is a request, each event of its answer a message."""

import provider_frames
import provider_shapes


def wanted(record):
    """Return whether a request wants to become a WebSocket."""
    return (record.header("upgrade") or "").lower() == "websocket"


def serve(line, record, head):
    """Speak with one client until it goes or closes."""
    from websockets.server import ServerProtocol  # other tests do without

    protocol = ServerProtocol(max_size=None)
    protocol.receive_data(head + b"\r\n\r\n" + line.buffer)
    while True:
        for event in protocol.events_received():
            if hasattr(event, "headers"):
                protocol.send_response(protocol.accept(event))
            elif event.opcode.name in ("TEXT", "BINARY"):
                _answer(line, protocol, record.message(event.data))
        _send(line, protocol)
        if protocol.close_expected():
            return
        line.buffer = b""
        line.fill()
        protocol.receive_data(line.buffer)


def _send(line, protocol):
    for data in protocol.data_to_send():
        if data:
            line.connection.sendall(data)


def _answer(line, protocol, record):
    """Answer one message with the script's next reply."""
    line.provider.take(record)
    line.record, line.phase = record, "body"
    reply = line.provider.next_reply(record)
    request = record.json if isinstance(record.json, dict) else {}
    if reply.status >= 400:
        error = provider_shapes.error_body("responses", reply, record.number)["error"]
        events = [("data", "error", {"type": "error", "status": reply.status, "error": error})]
    else:
        events = provider_shapes.events("responses", request, reply, request.get("model") or "fake-1", record.number)
    for kind, _, value in events:
        if kind == "data":
            line.pause(reply.delay)
            protocol.send_text(provider_frames.compact(value).encode("utf-8", "surrogatepass"))
            _send(line, protocol)
    line.phase = "after"
