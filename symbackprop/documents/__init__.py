"""A verdict for every statement of a document: `symbackprop.check_document` is the way in."""
