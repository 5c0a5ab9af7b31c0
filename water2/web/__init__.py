"""Pages, rendered on the server: each is a typed context and a template, without scripts."""
