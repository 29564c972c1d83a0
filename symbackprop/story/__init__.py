"""The derivations of backpropagation as people meet them.

>>> from symbackprop.story import show
>>> show("softmax")
"""

from symbackprop.story.pages import Forward, latex_documents, markdown_page, show, tell

__all__ = ["Forward", "latex_documents", "markdown_page", "show", "tell"]
