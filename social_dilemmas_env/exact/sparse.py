"""Where scipy is imported: late, so that the package does without it, and with a helpful error."""

from typing import Any

from social_dilemmas_env.extras import need


def scipy_sparse() -> Any:
    """The module `scipy.sparse`, with `scipy.sparse.linalg` loaded.

    Raises:
        ImportError: scipy is not installed.
    """
    need("scipy.sparse.linalg", extra="exact", what="an exact game")
    return need("scipy.sparse", extra="exact", what="an exact game")
