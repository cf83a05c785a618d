"""What a person hands in, judged."""
