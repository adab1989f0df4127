"""The page for readers: its data, words, pictures and templates."""
