"""The client of an object store that a URL names; credentials are found where ``obstore`` finds them."""

from __future__ import annotations

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.store.url import Url


def client(url: Url) -> Any:
    """Return obstore's client of a URL. Raise ConfigError."""
    try:
        from obstore import store
    except ImportError as error:
        raise ConfigError("a store in an object store needs headroom-cli[objects]; install that") from error
    from datetime import timedelta

    prefix = url.parts.path.strip("/") or None
    common: dict[str, Any] = {
        "prefix": prefix,
        # http:// is spoken where the endpoint says so, and only there.
        "client_options": {"allow_http": True, "timeout": timedelta(seconds=30),
                           "connect_timeout": timedelta(seconds=5)},
        "retry_config": {"max_retries": 6, "retry_timeout": timedelta(seconds=20),
                         "backoff": {"init_backoff": timedelta(milliseconds=20), "max_backoff": timedelta(seconds=1),
                                     "base": 2}},
    }  # fmt: skip
    name = url.parts.hostname or ""
    try:
        if url.scheme == "s3":
            if url.options.get("endpoint"):
                common["endpoint"] = url.options["endpoint"]
            return store.S3Store(name, **common)
        if url.scheme == "gs":
            return store.GCSStore(name, **common)
        return store.AzureStore(name, **common)
    except Exception as error:
        raise ConfigError(
            f"the store {url.shown} cannot be used ({type(error).__name__}); check its credentials and region"
        ) from error
