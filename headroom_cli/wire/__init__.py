"""How each API writes an answer: one file or folder per API, and the table WIRES.

A row has

``Turn``            what a client sees of a model's turn, over any number of hops (see below)
``Message``         the final object, put together from the events of a stream: ``take(event)``, ``value()``
``text_of``         the text that an event of a stream adds, as a person reads it: (event) -> str
``text_of_body``    the same of a whole answer: (value) -> str
``tool``            our tool in the shape this API wants: (name, description, JSON schema) -> value
``restore``         the edits that put hidden hops back into a later request: (request, find) -> list of formats.Edit

A Turn takes the events of the provider's stream and gives those that the client is to see. Everything passes at once,
byte for byte, but for calls of our own tools and, once there is one, the end of the hop. It never touches a socket.

``Turn(ours, streaming=)``     ``ours`` are the names of our tools; with none every event passes as it came
``take(event) -> [Event]``     streaming: what the client sees now
``take_body(data)``            not streaming: the whole answer of a hop
``ended``                      the hop has come to its proper end; a stream that stops before that has broken off
``stopped``                    the hop has said why it ends: at most usage and the end itself follow
``failure``                    (type, message) of an error that came inside the answer, None for none
``calls``                      the hop's calls of our tools, in order
``others``                     the hop calls tools of the client as well
``whole``                      False when the hop was too long to be kept: no further hop can be made
``turns(answers) -> [value]``  what the next hop's request has besides: the model's turn as it came, and the results
``go_on()``                    the next hop begins
``finish(note) -> [Event]``    streaming: the turn is over: what was held back of the end. ``note`` is added as text of
                               the model when it is not empty, and then the turn ends as one that calls nothing
``body(note) -> bytes``        not streaming: the turn is over: the whole answer; what came, when nothing was hidden
``past(answers) -> value``     what ``restore`` needs to put the hidden hops back: JSON, None when nothing was hidden;
                               ``answers`` are the results of calls that stand in a turn with the client's own calls
``key() -> str``               what the client will show of this turn in its later requests, as a digest
``usage``                      usage over all hops, in the API's own names
``error(kind, message) -> Event``  an error event in the API's own form, for a stream that broke off
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

WIRES = {
    "anthropic": "Anthropic Messages",
    "openai": "OpenAI Chat Completions",
    "responses": "OpenAI Responses",
}


def load(name: str) -> ModuleType:
    """Import a row."""
    found: ModuleType = __import__(f"headroom_cli.wire.{name}", fromlist=["Turn"])
    return found
