"""Documents as a way in: Markdown, LaTeX and notebooks become statements with a place and a tree."""
