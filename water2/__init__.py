"""water2: the operations tracker of secondary water supply. Law → duty → evidence."""
