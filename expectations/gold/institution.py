"""The gold tables: features, links, components, scores. Each is partitioned by as-of date."""

from pyspark.sql.types import ArrayType, StructType

from expectations.contract.properties import KEPT_A_MONTH, PINNED_BY_MODELS, WITHOUT_LIMITS
from expectations.contract.table import Check, Field, TableContract
from expectations.feature.institution import INSTITUTION_FEATURES
from expectations.gold.fields import AS_OF

_INSTITUTION = Field("institution_id", "string", "The designated institution", nullable=False)

_FEATURE_FIELDS = tuple(
    Field(feature.name, "double", f"{feature.definition} ({feature.unit})")
    for feature in INSTITUTION_FEATURES
)

INSTITUTION_FEATURE = TableContract(
    name="gold.institution_feature",
    grain="one row per institution and as-of date, for every institution in claims or closed cases",
    fields=(_INSTITUTION, AS_OF, *_FEATURE_FIELDS),
    primary_key=("institution_id", "as_of_date"),
    partition_by=("as_of_date",),
    written_by="build_institution_features",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

INSTITUTION_LINK = TableContract(
    name="gold.institution_link",
    grain="one row per pair of institutions, kind of link and as-of date",
    fields=(
        AS_OF,
        Field("src", "string", "The smaller institution id of the pair", nullable=False),
        Field("dst", "string", "The larger institution id of the pair", nullable=False),
        Field(
            "kind",
            "string",
            "What they share",
            nullable=False,
            values=("shared_member", "shared_doctor", "repeated_claim"),
        ),
        Field("weight", "long", "How many members, doctors or claims they share", nullable=False),
        Field("expected", "double", "How many would be shared by chance", nullable=False),
        Field(
            "significance",
            "double",
            "-log10 of the probability of sharing at least so many by chance",
            nullable=False,
        ),
        Field("src_size", "long", "Members, doctors or claims of src", nullable=False),
        Field("dst_size", "long", "Members, doctors or claims of dst", nullable=False),
        Field("is_kept", "boolean", "Whether it passed the filter of its day", nullable=False),
    ),
    primary_key=("as_of_date", "src", "dst", "kind"),
    partition_by=("as_of_date",),
    checks=(Check("ExpectColumnValuesToBeBetween", {"column": "weight", "min_value": 1}),),
    written_by="build_links",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

INSTITUTION_LINK_FILTER = TableContract(
    name="gold.institution_link_filter",
    grain="one row per kind of link and as-of date: the filter in force and what was cut off",
    fields=(
        AS_OF,
        Field("kind", "string", "Kind of link", nullable=False),
        Field(
            "pairs_tested",
            "long",
            "Pairs of institutions that could have been linked, n (n - 1) / 2: the significance is held"
            " against all of them",
            nullable=False,
        ),
        Field("min_weight", "long", "Least shared number that is kept", nullable=False),
        Field("min_significance", "double", "Least significance that is kept", nullable=False),
        Field("links_kept", "long", "Pairs that passed", nullable=False),
        Field(
            "buckets_cut",
            "long",
            "Members, doctors or claims with more institutions than links.max_bucket",
            nullable=False,
        ),
        Field("pairs_cut", "long", "Pairs that were not made because of that", nullable=False),
        Field(
            "largest_component",
            "long",
            "Institutions in the largest component under this filter, all kinds together",
            nullable=False,
        ),
    ),
    primary_key=("as_of_date", "kind"),
    partition_by=("as_of_date",),
    written_by="build_links",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

INSTITUTION_COMPONENT = TableContract(
    name="gold.institution_component",
    grain="one row per institution that has a kept link, and as-of date",
    fields=(
        AS_OF,
        _INSTITUTION,
        Field(
            "component", "string", "The smallest institution id in the component", nullable=False
        ),
        Field("component_size", "long", "Institutions in the component", nullable=False),
    ),
    primary_key=("as_of_date", "institution_id"),
    partition_by=("as_of_date",),
    written_by="build_components",
    properties=PINNED_BY_MODELS | WITHOUT_LIMITS,
)

INSTITUTION_TRAINING_ROW = TableContract(
    name="gold.institution_training_row",
    grain="one row per labelled institution that a model of an as-of date was trained and judged on",
    fields=(
        AS_OF,
        _INSTITUTION,
        Field("label", "integer", "1 confirmed, 0 cleared or without finding", nullable=False),
        Field("cut_date", "date", "Last day before which its features may look", nullable=False),
        Field(
            "feature_date",
            "date",
            "The as-of date of its features, not after the cut",
            nullable=False,
        ),
        Field("component", "string", "What it must share a fold with", nullable=False),
        *_FEATURE_FIELDS,
    ),
    primary_key=("as_of_date", "institution_id"),
    partition_by=("as_of_date",),
    written_by="train_model",
    properties=PINNED_BY_MODELS | WITHOUT_LIMITS,
)

REASON = (
    StructType()
    .add("feature", "string")
    .add("value", "double")
    .add("typical", "double")
    .add("contribution", "double")
    .add("text", "string")
)

INSTITUTION_SCORE = TableContract(
    name="gold.institution_score",
    grain="one row per institution that the model has a basis to score, and as-of date",
    fields=(
        _INSTITUTION,
        AS_OF,
        Field("score", "double", "Probability that an inquiry would confirm it", nullable=False),
        Field("rank", "long", "1 is the highest score; ties by institution id", nullable=False),
        Field("model_name", "string", "Registered model", nullable=False),
        Field("model_version", "string", "Its version", nullable=False),
        Field(
            "reasons",
            ArrayType(REASON),
            "The five largest contributions to the log-odds, largest first: feature, its value, the"
            " median over the scored institutions, contribution, and the sentence",
            nullable=False,
        ),
    ),
    primary_key=("institution_id", "as_of_date"),
    partition_by=("as_of_date",),
    written_by="score_subjects",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

INSTITUTION_UNSCORED = TableContract(
    name="gold.institution_unscored",
    grain="one row per institution that the model has no basis to score, and as-of date",
    fields=(
        _INSTITUTION,
        AS_OF,
        Field("reason", "string", "What is missing", nullable=False),
        Field(
            "reason_code",
            "string",
            "The same as a code: what there is none of before as_of_date; empty in rows of an older version",
            values=("no_claims", "no_inpatient_claims"),
        ),
    ),
    primary_key=("institution_id", "as_of_date"),
    partition_by=("as_of_date",),
    written_by="score_subjects",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

GOLD_TABLES: tuple[TableContract, ...] = (
    INSTITUTION_FEATURE,
    INSTITUTION_LINK,
    INSTITUTION_LINK_FILTER,
    INSTITUTION_COMPONENT,
    INSTITUTION_TRAINING_ROW,
    INSTITUTION_SCORE,
    INSTITUTION_UNSCORED,
)
