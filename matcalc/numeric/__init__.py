"""Values, finite differences and checks."""
