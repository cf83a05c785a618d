"""SymPy's matrix expressions and matcalc's, both ways."""
