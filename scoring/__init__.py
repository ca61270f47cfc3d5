"""What a score is, why it is so, and what to decide by it."""
