"""The gradient by the biases of a layer is its signal; for a batch, the sum of the signals over the samples."""

from symbackprop.story import show

if __name__ == "__main__":
    show("biases")
