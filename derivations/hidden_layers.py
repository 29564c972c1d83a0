"""Hidden layers: the signal of a layer from the signal of the next.

What comes after layer l + 1 is an abstract differentiable function of z of that layer.  Together with the signal of the
last layer this gives the signals of all layers of a network of any depth.
"""

from symbackprop.story import show

if __name__ == "__main__":
    show("hidden_layers")
