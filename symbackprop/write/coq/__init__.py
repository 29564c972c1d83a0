"""A certificate as a Coq file: a theorem about real derivatives, for all sizes."""
