"""The ops tables, what every run leaves behind, and the quarantine, where refused rows wait."""

from pyspark.sql.types import ArrayType, DateType, DecimalType, LongType, MapType, StringType

from expectations.contract.properties import KEPT_A_MONTH, WITHOUT_LIMITS
from expectations.contract.table import Field, TableContract
from expectations.landing.reasons import REASON_CODE

_AMOUNTS = MapType(StringType(), DecimalType(38, 6))
_RUN_ID = Field("run_id", "string", "The run that wrote this row", nullable=False)
_JOB = Field("job", "string", "The job that wrote this row", nullable=False)
_WRITTEN_AT = Field("written_at", "timestamp", "When the row was written, UTC", nullable=False)
#: Nullable, since rows of a table that is older than the column have none.
SEQUENCE = Field(
    "sequence",
    "long",
    "Grows with every commit to the table: what is newest has the highest, whatever the clock said."
    " Empty in rows from before the column existed, which are the oldest",
)

JOB_RUN = TableContract(
    name="ops.job_run",
    grain="one row per run of a job",
    fields=(
        _RUN_ID,
        _JOB,
        Field("pipeline_key", "string", "What a pipeline run resumes by; empty outside a pipeline"),
        Field("as_of_date", "date", "The as-of date where the job has one"),
        Field("batch", "date", "The landing batch where the job was given one"),
        Field(
            "legal_basis_id",
            "string",
            "The warrant or request under which the job looked at parcels; empty for all others",
        ),
        Field(
            "outcome",
            "string",
            "How it ended",
            nullable=False,
            values=("succeeded", "skipped", "refused", "failed", "cancelled"),
        ),
        Field("exit_code", "integer", "0, 1, 2 or 3 as in the manual", nullable=False),
        Field("message", "string", "Why, in a sentence; never holds an identifier"),
        Field(
            "inputs", MapType(StringType(), LongType()), "Tables read, with their Delta versions"
        ),
        Field("outputs", MapType(StringType(), LongType()), "Tables written, with their versions"),
        Field("rows_read", "long", "Rows in the tables and files that were read"),
        Field("rows_written", "long", "Rows written to tables other than ops and quarantine"),
        Field("rows_quarantined", "long", "Rows sent to quarantine"),
        Field("seconds", "double", "Wall time", nullable=False),
        Field("peak_memory_mb", "long", "Largest memory of the driver's JVM so far, MiB"),
        Field("parameters", "string", "The configuration in force as JSON, secrets masked"),
        Field("code_version", "string", "Hash of the project's sources", nullable=False),
        Field("started_at", "timestamp", "UTC", nullable=False),
        Field("ended_at", "timestamp", "UTC", nullable=False),
        SEQUENCE,
    ),
    primary_key=("run_id",),
    partition_by=("job",),
    written_by="every job",
    properties=KEPT_A_MONTH,
)

LANDING_BATCH = TableContract(
    name="ops.landing_batch",
    grain="one row per version of a landing batch and attempt to ingest it",
    fields=(
        _RUN_ID,
        _JOB,
        Field("table_name", "string", "Landing table", nullable=False),
        Field("batch", "date", "Batch date", nullable=False),
        Field("batch_version", "string", "SHA-256 of the manifest", nullable=False),
        Field("outcome", "string", "What became of it", nullable=False, values=("kept", "refused")),
        Field("rows_landed", "long", "Records in the files", nullable=False),
        Field("rows_kept", "long", "Rows that went to bronze", nullable=False),
        Field("rows_quarantined", "long", "Rows that went to quarantine", nullable=False),
        Field(
            "rows_superseded",
            "long",
            "Rows of an earlier version of the batch that this one replaced",
            nullable=False,
        ),
        Field("amounts_landed", _AMOUNTS, "Sum of the readable amounts in the files, by column"),
        Field("amounts_kept", _AMOUNTS, "Sum of the amounts that went to bronze, by column"),
        Field("reasons", ArrayType(StringType()), "Why it was refused"),
        Field("warnings", ArrayType(StringType()), "What was tolerated"),
        _WRITTEN_AT,
        SEQUENCE,
    ),
    primary_key=("run_id", "table_name", "batch", "batch_version"),
    partition_by=("job",),
    written_by="ingest_batch",
    properties=KEPT_A_MONTH,
)

TABLE_BALANCE = TableContract(
    name="ops.table_balance",
    grain="one row per table and run of conform_tables",
    fields=(
        _RUN_ID,
        _JOB,
        Field("table_name", "string", "Landing table", nullable=False),
        Field("rows_landed", "long", "Rows in bronze", nullable=False),
        Field("rows_conformed", "long", "Rows that stand in silver", nullable=False),
        Field(
            "rows_superseded",
            "long",
            "Rows that another row of the same key outranks",
            nullable=False,
        ),
        Field("rows_quarantined", "long", "Rows that point at nothing", nullable=False),
        Field("amounts_landed", _AMOUNTS, "Sums over the rows in bronze, by column"),
        Field("amounts_conformed", _AMOUNTS, "Sums over the rows that stand, by column"),
        Field("amounts_superseded", _AMOUNTS, "Sums over the outranked rows, by column"),
        Field("amounts_quarantined", _AMOUNTS, "Sums over the orphans, by column"),
        Field("amounts_emptied", _AMOUNTS, "Sums over placeholders taken as empty, by column"),
        Field(
            "batches",
            MapType(DateType(), StringType()),
            "The batches that silver shows, with their versions",
        ),
        Field(
            "epoch",
            "string",
            "The run since which no known key of the table has moved in time",
            nullable=False,
        ),
        Field(
            "parent_epochs",
            MapType(StringType(), StringType()),
            "Epochs of the tables that it refers to",
        ),
        Field(
            "silver_version", "long", "Version of the silver table after the run", nullable=False
        ),
        _WRITTEN_AT,
        SEQUENCE,
    ),
    primary_key=("run_id", "table_name"),
    partition_by=("job",),
    written_by="conform_tables",
    properties=KEPT_A_MONTH,
)

VALUE_PROFILE = TableContract(
    name="ops.value_profile",
    grain="one row per run of conform_tables, batch that was new to it and column",
    fields=(
        _RUN_ID,
        _JOB,
        Field("table_name", "string", "Landing table", nullable=False),
        Field("batch", "date", "Landing batch", nullable=False),
        Field("batch_version", "string", "SHA-256 of the batch's manifest", nullable=False),
        Field("column_name", "string", "The column's landing name", nullable=False),
        Field("rows_landed", "long", "Rows in bronze", nullable=False),
        Field("rows_empty", "long", "Rows that landed with the column empty", nullable=False),
        Field(
            "rows_placeholder",
            "long",
            "Rows with a value that stands for nothing: taken as empty, or in quarantine where the column is required",
            nullable=False,
        ),
        Field(
            "placeholders",
            MapType(StringType(), LongType()),
            "Those rows by the entry of conf/placeholders.yaml; never holds an identifier",
        ),
        Field("empty_share", "double", "Share of rows that say nothing, placeholders included"),
        Field("mean", "double", "Mean of an amount or quantity, placeholders left out"),
        _WRITTEN_AT,
        SEQUENCE,
    ),
    primary_key=("run_id", "table_name", "batch", "batch_version", "column_name"),
    partition_by=("job",),
    written_by="conform_tables",
    properties=KEPT_A_MONTH,
)

TABLE_PROGRESS = TableContract(
    name="ops.table_progress",
    grain="one row per run that came to its end and table that it had then read to its end or written",
    fields=(
        _RUN_ID,
        _JOB,
        Field("table_name", "string", "The table, with its layer", nullable=False),
        Field(
            "table_id",
            "string",
            "Delta's name of the table: another one means that it was made anew by hand",
        ),
        Field(
            "data_version",
            "long",
            "The last commit of the table that changed its data, as the run saw or left it; OPTIMIZE, VACUUM and"
            " changes of columns or properties are none",
            nullable=False,
        ),
        _WRITTEN_AT,
        SEQUENCE,
    ),
    primary_key=("run_id", "table_name"),
    partition_by=("job",),
    written_by="conform_tables, build_facts",
    properties=KEPT_A_MONTH,
)

VALIDATION_RESULT = TableContract(
    name="ops.validation_result",
    grain="one row per run and expectation on a table",
    fields=(
        _RUN_ID,
        _JOB,
        Field("table_name", "string", "Silver table", nullable=False),
        Field("expectation", "string", "Great Expectations type", nullable=False),
        Field("columns", "string", "Columns it is about", nullable=False),
        Field("severity", "string", "critical or warning", nullable=False),
        Field("is_met", "boolean", "Whether it held", nullable=False),
        Field("rows_checked", "long", "Rows it looked at"),
        Field("rows_unexpected", "long", "Rows that broke it"),
        Field("note", "string", "What the expectation is for"),
        _WRITTEN_AT,
        SEQUENCE,
    ),
    primary_key=("run_id", "table_name", "expectation", "columns"),
    partition_by=("job",),
    written_by="validate_tables",
    properties=KEPT_A_MONTH,
)

OPS_TABLES = (
    JOB_RUN,
    LANDING_BATCH,
    TABLE_BALANCE,
    VALUE_PROFILE,
    TABLE_PROGRESS,
    VALIDATION_RESULT,
)


def quarantine(table: str) -> TableContract:
    """The quarantine of one landing table: unreadable rows (ingest) and orphans (conform)."""
    return TableContract(
        name=f"quarantine.{table}",
        grain="one row per refused record",
        fields=(
            _JOB,
            Field("batch", "date", "Landing batch", nullable=False),
            Field("batch_version", "string", "SHA-256 of the batch's manifest", nullable=False),
            Field("source_file", "string", "File name inside the batch folder", nullable=False),
            Field("record_number", "long", "Record in the file, counted from 1", nullable=False),
            Field(
                "reasons",
                ArrayType(StringType()),
                "Why it was refused, each with its field; never holds a value",
                nullable=False,
            ),
            Field(
                "reason_codes",
                ArrayType(REASON_CODE),
                "The reasons in the same order as codes, each with its landing column and the parameters of"
                " its sentence; empty in rows of an older version",
            ),
            Field(
                "raw_record",
                "string",
                "The record as landed: its line if it had the wrong shape, else its fields as JSON."
                " Restricted: holds identifiers",
            ),
        ),
        primary_key=("job", "batch", "batch_version", "source_file", "record_number"),
        partition_by=("job", "batch"),
        written_by="ingest_batch, conform_tables",
        # `raw_record` holds identifiers.
        properties=KEPT_A_MONTH | WITHOUT_LIMITS,
    )
