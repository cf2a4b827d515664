"""What is no test: measurements and checks that are run by hand, each a command of its own."""
