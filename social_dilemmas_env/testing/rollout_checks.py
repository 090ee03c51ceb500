"""Checks on everything that an environment returns in whole episodes."""

from __future__ import annotations

from social_dilemmas_env.testing.aliasing_checks import Freshness
from social_dilemmas_env.testing.findings import Report, guarded
from social_dilemmas_env.testing.kit import Kit
from social_dilemmas_env.testing.lifecycle_checks import Lifecycle
from social_dilemmas_env.testing.value_checks import GlobalState, InfoKeys, Values

WATCHERS = (Values, Freshness, Lifecycle, InfoKeys, GlobalState)


def check_rollout(kit: Kit) -> Report:
    """Shows every record of the episodes to all watchers, each of which may fail alone."""
    session = kit.session()
    watchers = [(watcher.__name__, watcher()) for watcher in WATCHERS]
    for record in session.episodes(kit.episodes, kit.seed):
        for name, watcher in watchers:
            yield from guarded(name, watcher.see(session, record))
