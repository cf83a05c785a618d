"""Expressions and the table of operations: what there is to differentiate."""
