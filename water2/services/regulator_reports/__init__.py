"""Reports of pollution to the two regulators: owed, drafted, told, sent, acknowledged."""
