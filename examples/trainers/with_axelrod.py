"""Axelrod: a tournament with our agents in it, and PPO against its tit for tat.

pip install -r examples/trainers/requirements/axelrod.txt -e ".[agents]"
python examples/trainers/with_axelrod.py      # a minute; its import takes ten seconds
"""

from pinned import pinned

with pinned("axelrod"):
    import torch
    from with_cleanrl import against

    from agents.evaluation.axelrod_bridge import axelrod_tournament

ENTRIES = (
    *("bundled:loqa_ipd", "tit_for_tat", "pavlov", "always_defect"),
    *("axelrod:TitFor2Tats", "axelrod:Grudger", "axelrod:ZDExtort2", "axelrod:Random"),
)


def tournament(repetitions=5):
    """The library's tournament; scores are payoffs of `ipd_v0`, 50 turns a match."""
    return axelrod_tournament(ENTRIES, "ipd_v0", repetitions=repetitions)


def learned():
    """Mean rewards of each iteration of PPO against the library's tit for tat."""
    return against("axelrod:TitForTat")


def main():
    """Both."""
    torch.set_num_threads(1)
    print(tournament().table())
    print(f"PPO against its tit for tat: {learned()[-1]:+.2f} a step (both cooperate: -1)")


if __name__ == "__main__":
    main()
