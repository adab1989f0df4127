"""The landing folder: manifests, files, rows, the history of batches, mappings of foreign sources."""
