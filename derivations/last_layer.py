"""The last layer: the loss is any differentiable function ℒ(y) of the outputs y = f(z).

The Jacobian of an activation that acts entry by entry is diagonal, so the signal δ = ∂ℒ/∂z of the last layer is
∂ℒ/∂y ∘ f'(z), and Σ_i ∂ℒ/∂y_i ∂y_i/∂z_j a_k is the gradient by the weight w_jk.
"""

from symbackprop.story import show

if __name__ == "__main__":
    show("last_layer")
