"""Maps of Clean Up: Melting Pot's layout (Apache-2.0; see `games.clean_up`)."""

LETTERS = {
    "W": "wall",
    " ": "floor",
    "A": "apple",
    "P": "spawn point",
    "H": "river that can get dirty",
    "F": "river that is dirty at the start",
    "S": "river",
}

DEFAULT = """\
WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW
WHFFFHFFHFHFHFHFHFHFHHFHFFFHFW
WHFHFHFFHFHFHFHFHFHFHHFHFFFHFW
WHFFHFFHHFHFHFHFHFHFHHFHFFFHFW
WHFHFHFFHFHFHFHFHFHFHHFHFFFHFW
WHFFFFFFHFHFHFHFHFHFHHFHFFFHFW
W               SFHHHHHH     W
W   P    P          SSS      W
W     P     P   P   SS   P   W
W             P   P SS       W
W   P    P          SS    P  W
W               P   SS P     W
W     P           P SS       W
W           P       SS  P    W
W  P             P  SS       W
W A A A A A A A A A SS  A A AW
WAAAAAAAAAAAAAAAAAAA  AAAAAAAW
WAAAAAAAAAAAAAAAAAAAAAAAAAAAAW
WAAAAAAAAAAAAAAAAAAAAAAAAAAAAW
WAAAAAAAAAAAAAAAAAAAAAAAAAAAAW
WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"""

MAPS = {"default": tuple(DEFAULT.splitlines())}
