"""Import: a utility's files read, checked row by row, and taken into the register."""
