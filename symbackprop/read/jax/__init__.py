"""Functions of JAX's as index terms: their jaxpr on symbolic shapes, evaluated by the NumPy reader."""

from .jaxprs import Jittable

__all__ = ["Jittable"]
