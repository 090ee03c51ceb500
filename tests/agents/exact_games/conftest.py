import pytest
import torch


@pytest.fixture(autouse=True)
def same_numbers():
    """What these tests draw from torch does not depend on which ran before."""
    torch.manual_seed(0)
