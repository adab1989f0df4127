"""Delta's table properties that contracts declare, with their purpose."""

#: For tables whose versions a model names as what it was trained on: they, and their files, outlive Delta's 30
#: and 7 days by far, so that the model can be trained again and looked into.
PINNED_BY_MODELS = {
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 3650 days",
}

#: For all other tables: a month in which a fault that is noticed late can be looked into, and undone by RESTORE.
KEPT_A_MONTH = {
    "delta.logRetentionDuration": "interval 90 days",
    "delta.deletedFileRetentionDuration": "interval 30 days",
}

#: Delta writes the smallest and largest values of columns into its log, file by file, identifiers too. Tables
#: that are read whole or by partition have no use for them.
WITHOUT_LIMITS = {"delta.dataSkippingNumIndexedCols": "0"}

#: Old rows are marked in the files that hold them, which stay. Not every reader of Delta can read such a table.
MARKED = {"delta.enableDeletionVectors": "true"}

#: What changed can be read of.
FED = {"delta.enableChangeDataFeed": "true"}


def limits_of(*columns: str) -> dict[str, str]:
    """Minimum and maximum by file for these columns only: Delta uses them to skip files, or they are times."""
    return {"delta.dataSkippingStatsColumns": ",".join(columns)}
