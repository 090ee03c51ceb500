"""Tasks that do not depend on one another, computed here, in processes, or on a Ray cluster."""
