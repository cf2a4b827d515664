"""The catalogue: drivers, engines, portability and the rule book, as data and their readers."""
