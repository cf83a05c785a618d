"""Derivatives of expressions, and their simplification."""
