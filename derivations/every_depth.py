"""All layers of a network of any depth: the signals and the gradients, by induction from the last layer."""

from symbackprop.story import show

if __name__ == "__main__":
    show("every_depth")
