"""What changes of silver affect in the facts, what is rebuilt, and in which order it is committed."""
