"""A callback for LiteLLM: messages of its calls go out in fewer tokens.

In the configuration of its proxy:

    litellm_settings:
      callbacks: headroom_cli.litellm.callback

In a program, where it acts on ``acompletion`` and its kin (LiteLLM asks no callback before a blocking ``completion``):

    import litellm
    from headroom_cli.litellm import HeadroomCallback
    litellm.callbacks = [HeadroomCallback(policy="balanced")]
"""

from __future__ import annotations

from headroom_cli.library.headroom import Headroom, policy_of

try:
    from litellm.integrations.custom_logger import CustomLogger
except ModuleNotFoundError as error:
    raise ImportError(
        "headroom_cli.litellm needs LiteLLM, which cannot be imported; pip install 'headroom-cli[litellm]'"
    ) from error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.library.headroom import Allowed
    from headroom_cli.store import Store

# Where a call's conversation stands.
_NAMES = ("messages", "input")
# Kinds of calls whose ``input`` is a conversation; of others (embeddings, moderation, speech) it is not.
_RESPONSES = ("responses", "aresponses")


class HeadroomCallback(CustomLogger):  # type: ignore[misc] # the package is not installed where types are checked
    """Shortens the messages of a call before LiteLLM sends them, and does nothing else.

    Nobody here answers a model's call for an original, so by default there are no markers: what changes can be read in
    place. Nothing is written to a log; LiteLLM's own hold a call as the program made it. Whatever fails leaves the
    messages as they are.
    """

    def __init__(self, *, policy: Allowed = None, store: str | Store | None = None) -> None:
        """``policy`` as in Headroom; where it says nothing of it, ``redeem`` is "none". Raise ConfigError."""
        super().__init__()
        self._headroom = Headroom(store=store, policy=policy_of(policy, redeem="none", live=True))

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> dict[str, Any]:
        """Return a request to LiteLLM's proxy with its messages shortened."""
        del user_api_key_dict, cache
        return await self._shortened(data, call_type)

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> dict[str, Any]:
        """Return a program's call with its messages shortened."""
        return await self._shortened(kwargs, call_type)

    async def _shortened(self, data: dict[str, Any], call_type: Any) -> dict[str, Any]:
        kind = getattr(call_type, "value", call_type)
        model = data.get("model")
        made = dict(data)
        for name in _NAMES:
            turns = data.get(name)
            if isinstance(turns, list) and (name == "messages" or kind in _RESPONSES):
                named = model if isinstance(model, str) else ""
                made[name] = (await self._headroom.acompress(turns, named)).messages
        return made


def __getattr__(name: str) -> object:
    """Make ``callback`` when it is asked for: a module that is imported opens nothing."""
    if name == "callback":
        made = globals()["callback"] = HeadroomCallback()
        return made
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
