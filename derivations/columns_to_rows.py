"""From columns to rows: nothing is differentiated again, the theorems are transposed."""

from symbackprop.story import show

if __name__ == "__main__":
    show("columns_to_rows")
