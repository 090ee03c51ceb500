"""All broken environments: one defect each, and the exact set of findings that `check_env` must
come to."""

from tests.env.conformance import broken_conduct
from tests.env.conformance import broken_values as values
from tests.env.conformance.broken_table import BROKEN

__all__ = ["BROKEN", "PETTINGZOO_ACCEPTS", "WINDOWS"]

WINDOWS = (broken_conduct.OpensWindow, broken_conduct.UsesWindow)  # need pygame

# The nine of which PettingZoo 1.27's `parallel_api_test` accepts all, and `parallel_seed_test`
# seven.
PETTINGZOO_ACCEPTS = (
    values.UnseededReset,
    values.UnseededSteps,
    values.LeavesSpace,
    values.NaNObservation,
    values.NaNReward,
    values.WrongDtype,
    values.OneBuffer,
    broken_conduct.AnyNumber,
    values.SeededOnce,
)
