"""The command line: one file per verb, the tables they are declared in, and what they share."""
