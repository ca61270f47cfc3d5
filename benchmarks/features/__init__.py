"""How fast features are built, on synthetic logs of any size, against queries that an expert would write by hand."""
