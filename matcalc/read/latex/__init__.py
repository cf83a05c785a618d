"""LaTeX, read as students type it and as it is printed."""
