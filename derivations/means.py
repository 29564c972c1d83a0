"""Costs that are a mean over N samples: every gradient carries the factor 1/N."""

from symbackprop.story import show

if __name__ == "__main__":
    show("means")
