"""What new batches affect in silver, what is rebuilt of it, and in which order it is committed."""
