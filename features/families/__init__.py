"""Feature families, one file each: which specifications a family proposes for the data at hand."""
