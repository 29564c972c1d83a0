"""Networks: layers, activations, losses, the two conventions, and explicit small networks as a witness."""

import symbackprop.core.show  # noqa: F401 - terms in messages look like formulas
