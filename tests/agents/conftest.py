"""Every test of the agents begins with the same random numbers, in whichever order tests run."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
