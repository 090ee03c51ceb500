"""Which pages, files and results belong to a learner."""

from typing import NamedTuple


class Family(NamedTuple):
    """What the page of a learner is put together from.

    Attributes:
        equations: a file of docs/learners/equations.
        modules: where the mathematics is.
        departures: words that begin the first cell of its rows in docs/learners/departures.md.
        results: (benchmark, words of the rows); a row is shown if it has one of them.
    """

    equations: str
    modules: tuple[str, ...]
    departures: tuple[str, ...] = ()
    results: tuple[tuple[str, tuple[str, ...]], ...] = ()


LOQA = Family(
    "loqa",
    ("agents.learners.loqa.loqa", "agents.learners.loqa.self_play"),
    ("LOQA", "LOQA, IPD", "LOQA, N players"),
    (("loqa_ipd", ("recommended", "README")), ("coin_league", ("loqa",))),
)
POLA = Family(
    "pola_dice",
    ("agents.learners.pola.pola_dice", "agents.learners.pola.learner"),
    ("POLA-DiCE", "POLA-DiCE, LOLA-DiCE"),
    (("pola_coin", ("POLA-DiCE",)), ("pola_ipd", ("POLA-DiCE",))),
)
TABLE = ("agents.learners.tabular",)
FAMILIES = {
    "loqa": LOQA,
    "loqa_modelled": LOQA._replace(
        modules=("agents.learners.loqa.loqa_modelled",),
        departures=("LOQA with models",),
        results=(("loqa_open_problems", ("model",)),),
    ),
    "loqa_proximal": Family(
        "loqa_proximal",
        ("agents.learners.loqa_proximal.loqa_proximal", "agents.learners.loqa_proximal.learner"),
        ("LOQA, proximal",),
        (("loqa_proximal", ("",)),),
    ),
    "advantage_alignment": Family(
        "advantage_alignment",
        ("agents.learners.loqa.advantage_alignment",),
        ("Advantage Alignment",),
        (("coin_league", ("advantage_alignment", "alignment")),),
    ),
    "ippo": Family("ippo", ("agents.learners.ippo.ippo", "agents.learners.ippo.learner"), (), ()),
    "sb3_ppo": Family("ppo", ("agents.learners.sb3_ppo",), (), (("coin_league", ("ppo",)),)),
    "pola_dice": POLA,
    "pola_om": POLA._replace(
        departures=("POLA-OM",),
        results=(("pola_coin", ("POLA-OM",)), ("pola_ipd", ("POLA-OM",))),
    ),
    "lola_dice_gru": POLA._replace(
        departures=("POLA-DiCE, LOLA-DiCE",),
        results=(("pola_coin", ("LOLA-DiCE",)), ("pola_ipd", ("LOLA-DiCE",))),
    ),
    "naive_pg_gru": POLA._replace(departures=(), results=(("pola_ipd", ("naive",)),)),
    "naive_exact": Family(
        "naive",
        ("agents.learners.naive.naive_exact", *TABLE),
        ("all", "matrix games", "%TFT"),
        (("lola_table", ("NL-Ex",)),),
    ),
    "lola_exact": Family(
        "lola",
        ("agents.learners.lola.lola_exact", *TABLE),
        ("all", "LOLA exact", "LOLA of order k"),
        (("lola_table", ("LOLA-Ex",)), ("lola_orders", ("",))),
    ),
    "look_ahead_exact": Family(
        "sos", ("agents.learners.sos.sos", *TABLE), ("all",), (("zero_sum_paths", ("look",)),)
    ),
    "sos_exact": Family(
        "sos", ("agents.learners.sos.sos", *TABLE), ("all",), (("zero_sum_paths", ("SOS", "sos")),)
    ),
    "consensus_exact": Family(
        "sos", ("agents.learners.sos.sos", *TABLE), ("consensus",), (("zero_sum_paths", ("cons",)),)
    ),
    "pola_exact": Family(
        "pola_exact",
        ("agents.learners.pola.pola_exact", *TABLE),
        ("POLA exact",),
        (("pola_parametrisation", ("POLA", "pola")),),
    ),
    "naive_pg_tabular": Family(
        "naive",
        ("agents.learners.naive.naive_pg", *TABLE),
        ("NL-PG", "NL-PG, LOLA-PG", "matrix games"),
        (("lola_table", ("NL-PG",)),),
    ),
    "lola_pg_tabular": Family(
        "lola_pg",
        ("agents.learners.lola.lola_pg", *TABLE),
        ("LOLA-PG", "NL-PG, LOLA-PG", "matrix games", "likelihood model"),
        (("lola_table", ("LOLA-PG",)),),
    ),
    "lola_dice_tabular": Family(
        "lola_dice",
        ("agents.learners.lola.lola_dice", *TABLE),
        ("LOLA-DiCE", "matrix games"),
        (("dice_lookaheads", ("",)),),
    ),
    "exact_policy": Family(
        "exact_policy", ("agents.learners.exact_policy",), (), (("coin_exact", ("tables: self",)),)
    ),
    "exact_clone": Family("exact_clone", ("agents.learners.exact_clone",)),
    "meta_mapg": Family(
        "meta_mapg",
        ("agents.learners.meta_mapg.meta_mapg", "agents.learners.meta_mapg.meta_mapg_exact"),
        ("Meta-MAPG",),
        (("meta_mapg_personas", ("MAPG",)),),
    ),
    "meta_pg": Family(
        "meta_mapg",
        ("agents.learners.meta_mapg.meta_mapg",),
        ("Meta-PG",),
        (("meta_mapg_personas", ("PG",)),),
    ),
}
