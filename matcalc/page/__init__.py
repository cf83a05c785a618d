"""The derivation as a page: what was derived, drawn, generated and checked, in one file that needs no network."""
