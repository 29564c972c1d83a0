"""The gradient by the weights of a layer is the product of its signal and the activations before it."""

from symbackprop.story import show

if __name__ == "__main__":
    show("weights")
