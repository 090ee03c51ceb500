"""A match that somebody watches: people at the keyboard, what players tell, what moves were worth.

match.py       one episode, step by step, recorded
human.py       a person as a player; keys.py  which key is which move
terminal.py    a keyboard and lines of text;  board.py  a window that waits for keys
telling.py     probabilities and values of trained agents
advantage.py   exact advantages, by linear algebra
"""
