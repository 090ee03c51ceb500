"""The options of `make_vec_env` without which an adapter would be wrong."""

from typing import Any


def required_options(adapter: str, given: dict[str, Any], **required: Any) -> dict[str, Any]:
    """The options that were given, with those that the adapter needs.

    A library that keeps observations, for example, needs `reuse_buffers=False`.

    Args:
        adapter: its name, for the error.
        given: keyword arguments of `make_vec_env`.
        **required: option -> the only value that it may have.

    Raises:
        ValueError: a required option was given another value.
    """
    for name, value in required.items():
        if name in given and given[name] != value:
            raise ValueError(f"{adapter} needs {name}={value!r}, got {given[name]!r}")

    return {**given, **required}
