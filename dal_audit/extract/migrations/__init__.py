"""The front end for what migration tools write and read."""
