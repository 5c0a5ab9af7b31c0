"""Use-cases: one async function each, `verb_noun(work, command)`."""
