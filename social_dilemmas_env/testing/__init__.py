"""The conformance kit: does a parallel PettingZoo environment keep its promises?

PettingZoo's own parallel tests accept environments that ignore their seeds, leave their spaces or
return NaN. `check_env` plays whole episodes, with every game played at least twice, and says in a
sentence what is wrong:

    from social_dilemmas_env.testing import check_env

    for finding in check_env(lambda: my_parallel_env(max_cycles=50)):
        print(finding)

It works on any `pettingzoo.ParallelEnv`, and needs numpy, gymnasium and pettingzoo only. In a test
suite:

    def test_conformance():
        assert check_env(my_parallel_env) == []
"""

from social_dilemmas_env.testing.check_env import check_env
from social_dilemmas_env.testing.findings import Finding

__all__ = ["Finding", "check_env"]
