"""Raw files and a mapping -> the tables of a workspace; what is refused is kept with its cause."""
