"""The page for readers: its facts, words, pictures and templates. Data in, text out; no I/O."""
