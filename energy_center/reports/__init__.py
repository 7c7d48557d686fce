"""PDF documents: templates in typst, and the one function that sets them."""
