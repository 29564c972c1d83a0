import symbackprop.core.show  # noqa: F401 - terms in messages look like formulas
