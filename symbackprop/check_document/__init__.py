"""A verdict for every statement of a document: `symbackprop.document.check_document` is the way in."""
