"""What the spatial commons share: maps, moves, beams, what players see; on arrays [K, B]."""
