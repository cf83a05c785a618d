"""The lecture's window classifier."""
