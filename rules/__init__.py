"""Rule cards that a marketer can read, their points and their ledgers."""
