"""The online state: leads, activities and keys in SQLite (or, by option, another database), through SQLAlchemy."""
