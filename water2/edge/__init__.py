"""What the API and the pages share: whose request it is, in which language, what went wrong."""
