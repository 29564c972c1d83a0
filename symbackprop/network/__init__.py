"""Networks: layers, activations, losses, the two conventions, and explicit small networks as a witness."""
