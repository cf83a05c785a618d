"""Expressions written as text and as LaTeX."""
