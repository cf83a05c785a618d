"""The printings of expressions and derivations: paper (text and LaTeX) and NumPy."""
