"""The words that arguments of the public functions and of games may be, as types and tuples."""

from typing import Literal, get_args

Api = Literal["parallel", "aec"]  # PettingZoo's two: all players at once, or turn by turn
RenderMode = Literal["human", "rgb_array", "ansi"]  # a window, an image, text
Backend = Literal["numpy", "torch", "jax"]
ObsMode = Literal["float32", "uint8", "state"]  # "state": observation ids
Autoreset = Literal["same_step", "next_step", "disabled"]  # as in Gymnasium 1.x
View = Literal["ego", "joint"]  # players counted from the one who sees, or from player 0

APIS: tuple[Api, ...] = get_args(Api)
RENDER_MODES: tuple[RenderMode, ...] = get_args(RenderMode)
BACKENDS: tuple[Backend, ...] = get_args(Backend)
OBS_MODES: tuple[ObsMode, ...] = get_args(ObsMode)
AUTORESETS: tuple[Autoreset, ...] = get_args(Autoreset)
VIEWS: tuple[View, ...] = get_args(View)

# The commons'; see their pages.
Ending = Literal["fixed", "melting_pot"]

# The Coin Game's; see its page.
Variant = Literal["loqa", "pola", "lola", "mfos", "reciprocator"]
Ties = Literal["both", "red", "split", "each"]
CoinColor = Literal["alternate", "random"]
Moves = Literal["LRUD", "RLDU"]
CoinMemory = Literal["last_pickup", "pickups"]  # what observations tell of the past

COIN_SWITCHES: dict[str, tuple[str, ...]] = {
    "ties": get_args(Ties),
    "coin_color": get_args(CoinColor),
    "moves": get_args(Moves),
    "view": VIEWS,
}
COIN_MEMORIES: tuple[CoinMemory, ...] = get_args(CoinMemory)
