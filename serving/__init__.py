"""Bundle to answers: the scoring service."""
