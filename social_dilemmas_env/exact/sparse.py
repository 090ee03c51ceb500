"""Where scipy is imported: late, so that the package does without it, and with a helpful error."""

from typing import Any


def scipy_sparse() -> Any:
    """The module `scipy.sparse`, with `scipy.sparse.linalg` loaded.

    Raises:
        ImportError: scipy is not installed.
    """
    try:
        # Inside the function: only the exact games need scipy, an extra of this package.
        import scipy.sparse
        import scipy.sparse.linalg
    except ImportError:
        raise ImportError(
            'exact games need scipy: pip install -e ".[exact]" (or pip install scipy)'
        ) from None
    return scipy.sparse
