"""A first mapping for a folder of raw files, every guess marked TODO."""
