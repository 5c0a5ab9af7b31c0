"""Tables, enums and pure functions over them; no I/O."""
