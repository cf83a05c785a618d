"""The derivation, step by step, and the other ways to tell it."""
