"""The gold tables about links between accounts and the rings that stand on them."""

from pyspark.sql.types import ArrayType, StringType, StructType

from expectations.contract.properties import KEPT_A_MONTH, WITHOUT_LIMITS
from expectations.contract.table import Check, Field, TableContract
from expectations.feature.account_link import TRAITS
from expectations.feature.member_ring import MEMBER_RING_FEATURES
from expectations.gold.fields import AS_OF
from expectations.landing.codes import ROLES

_RING = Field(
    "ring_id",
    "string",
    "The ring; it keeps its id from day to day while most of its members stay",
    nullable=False,
)
_PROBABILITY = Check(
    "ExpectColumnValuesToBeBetween", {"column": "probability", "min_value": 0, "max_value": 1}
)

LINK_REASON = StructType().add("trait", "string").add("value", "double").add("points", "double")

ACCOUNT_LINK = TableContract(
    name="gold.account_link",
    grain="one row per pair of accounts with a link worth keeping, and as-of date",
    fields=(
        AS_OF,
        Field("src", "string", "The smaller account of the pair", nullable=False),
        Field("dst", "string", "The larger account of the pair", nullable=False),
        Field(
            "weight",
            "double",
            "Log-odds that the pair works together: of the shipped model, or of the unlearned statistic",
            nullable=False,
        ),
        Field("probability", "double", "The weight as a probability", nullable=False),
        Field(
            "is_kin",
            "boolean",
            "Whether both are of one household: no evidence, and never a link that passes",
            nullable=False,
        ),
        Field(
            "has_passed",
            "boolean",
            "Whether it is no kin and its probability reaches `account_links.pass_probability`",
            nullable=False,
        ),
        Field("first_date", "date", "First day on which they met"),
        Field("last_date", "date", "Last day on which they met"),
        Field("evidence_count", "long", "Days met and things in common", nullable=False),
        Field(
            "settlement_ids",
            ArrayType(StringType()),
            "Settlements of the strongest days on which they met, at most 12",
            nullable=False,
        ),
        Field(
            "reasons",
            ArrayType(LINK_REASON),
            "The three traits that speak most for it, with their part of the weight",
            nullable=False,
        ),
        *(trait.field for trait in TRAITS),
    ),
    primary_key=("as_of_date", "src", "dst"),
    partition_by=("as_of_date",),
    checks=(_PROBABILITY,),
    written_by="build_account_links",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

ACCOUNT_LINK_CUT = TableContract(
    name="gold.account_link_cut",
    grain="one row per bound on the making of pairs, and as-of date",
    fields=(
        AS_OF,
        Field("bound", "string", "Which kind of candidate it bounds", nullable=False),
        Field("limit", "long", "Visits that follow one, or accounts of a thing", nullable=False),
        Field("things_cut", "long", "Institutions or things that it touched", nullable=False),
        Field("pairs_cut", "long", "Pairs of visits, or of accounts, not made", nullable=False),
    ),
    primary_key=("as_of_date", "bound"),
    partition_by=("as_of_date",),
    written_by="build_account_links",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

RING = TableContract(
    name="gold.ring",
    grain="one row per ring and as-of date",
    fields=(
        AS_OF,
        _RING,
        Field(
            "rank",
            "long",
            "1 is to be opened first: by expected loss times confidence; ties by ring id",
            nullable=False,
        ),
        Field(
            "confidence",
            "double",
            "Mean over its accounts of the mean log-odds of their two best links in it, as a probability",
            nullable=False,
        ),
        Field("accounts", "long", "Accounts in it", nullable=False),
        Field("links", "long", "Links between them that passed", nullable=False),
        Field(
            "density", "double", "Of all pairs of its accounts, the linked share", nullable=False
        ),
        Field(
            "significance",
            "double",
            "-log10 of the chance of so many links among so many accounts, each as linked as it is",
            nullable=False,
        ),
        Field("first_date", "date", "First day on which two of them met"),
        Field("last_date", "date", "Last day on which two of them met"),
        Field(
            "expected_loss_amount",
            "decimal(16,2)",
            "Fund's part of what its accounts got beyond their own use in 365 days, yuan",
            nullable=False,
        ),
        Field(
            "has_unseen_head",
            "boolean",
            "Nobody in the data stands above the others: who runs it is not among the accounts",
            nullable=False,
        ),
        Field(
            "findings",
            ArrayType(StringType()),
            "How it works: the findings of gold.ring_finding that hold, in alphabetical order",
            nullable=False,
        ),
    ),
    primary_key=("as_of_date", "ring_id"),
    partition_by=("as_of_date",),
    checks=(
        Check(
            "ExpectColumnValuesToBeBetween",
            {"column": "confidence", "min_value": 0, "max_value": 1},
        ),
    ),
    written_by="find_rings",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

#: How a ring may work. `linked_kin` says who of a member's household is linked too: no evidence against them.
FINDINGS = (
    *("family", "linked_kin", "many_places", "one_counter"),
    *("role_split", "rotation", "shared_credentials"),
)

RING_FINDING = TableContract(
    name="gold.ring_finding",
    grain="one row per ring, finding that could be looked at, and as-of date, whether it holds or not",
    fields=(
        AS_OF,
        _RING,
        Field("finding", "string", "How the ring may work", nullable=False, values=FINDINGS),
        Field(
            "holds", "boolean", "Whether the numbers say so; only then it is shown", nullable=False
        ),
        Field(
            "value",
            "double",
            "What was measured: a share of the accounts, a number of kin or of institutions; for rotation, pairs of"
            " accounts that took drugs in the same month",
            nullable=False,
        ),
        Field("expected", "double", "What chance would give; empty where there is no such number"),
        Field(
            "significance",
            "double",
            "-log10 of the chance of a value at least as far from that; empty likewise",
        ),
        Field("accounts", "long", "Accounts that it rests on", nullable=False),
        Field(
            "subject_ids",
            ArrayType(StringType()),
            "Accounts, carriers or institutions that it is about; for rotation, the cards in the order of use",
            nullable=False,
        ),
    ),
    primary_key=("as_of_date", "ring_id", "finding"),
    partition_by=("as_of_date",),
    written_by="find_rings",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

RING_MEMBER = TableContract(
    name="gold.ring_member",
    grain="one row per ring, subject and as-of date",
    fields=(
        AS_OF,
        _RING,
        Field(
            "subject_type",
            "string",
            "What takes part",
            nullable=False,
            values=("member", "doctor", "institution", "operator", "phone"),
        ),
        Field("subject_id", "string", "Which", nullable=False),
        Field("role", "string", "What it is consistent with doing", nullable=False, values=ROLES),
        Field("role_score", "double", "How clearly, 0 to 1", nullable=False),
        Field(
            "organiser_rank",
            "long",
            "1 is the likeliest to run the ring, among its people; empty for what is no person",
        ),
        Field("reasons", ArrayType(StringType()), "Codes of what says so", nullable=False),
    ),
    primary_key=("as_of_date", "ring_id", "subject_type", "subject_id"),
    partition_by=("as_of_date",),
    written_by="find_rings",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

RING_HISTORY = TableContract(
    name="gold.ring_history",
    grain="one row per ring and as-of date on which something happened to it",
    fields=(
        AS_OF,
        _RING,
        Field(
            "event",
            "string",
            "What happened since the day before it in this table",
            nullable=False,
            values=("born", "continued", "merged", "split", "ended"),
        ),
        Field("accounts", "long", "Accounts now; 0 when it ended", nullable=False),
        Field("joined", "long", "Accounts that were not in it before", nullable=False),
        Field("departed", "long", "Accounts that are no longer in it", nullable=False),
        Field(
            "other_ring_ids",
            ArrayType(StringType()),
            "Rings that it took in, that it was split from, or that it went into",
            nullable=False,
        ),
    ),
    primary_key=("as_of_date", "ring_id"),
    partition_by=("as_of_date",),
    written_by="find_rings",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

MEMBER_RING_FEATURE = TableContract(
    name="gold.member_ring_feature",
    grain="one row per account with a link that is no kin, and as-of date",
    fields=(
        Field("member_id", "string", "The insured account", nullable=False),
        AS_OF,
        Field("ring_id", "string", "Its ring; empty if it is in none"),
        Field(
            "settlement_ids",
            ArrayType(StringType()),
            "Settlements of its two best links, at most 20",
            nullable=False,
        ),
        *(feature.field for feature in MEMBER_RING_FEATURES),
    ),
    primary_key=("member_id", "as_of_date"),
    partition_by=("as_of_date",),
    written_by="find_rings",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

RING_LINK = TableContract(
    name="gold.ring_link",
    grain="one row per link inside a ring, or from its accounts to kin, and as-of date",
    fields=(
        AS_OF,
        _RING,
        Field("src", "string", "The smaller account of the pair", nullable=False),
        Field("dst", "string", "The larger account of the pair", nullable=False),
        Field(
            "probability",
            "double",
            "That the pair works together, by the link and by the habits of both accounts",
            nullable=False,
        ),
        Field(
            "is_kin",
            "boolean",
            "Whether both are of one household; the other may then be outside the ring",
            nullable=False,
        ),
    ),
    primary_key=("as_of_date", "ring_id", "src", "dst"),
    partition_by=("as_of_date",),
    checks=(_PROBABILITY,),
    written_by="find_rings",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

RING_RESULT = TableContract(
    name="gold.ring_result",
    grain="one row per as-of date, measure and slice of rings judged against the truth",
    fields=(
        AS_OF,
        Field("measure", "string", "What was measured", nullable=False),
        Field(
            "slice",
            "string",
            "Typology, skill, role or benign group; empty for all",
            nullable=False,
        ),
        Field("value", "double", "The figure; empty where nothing can be measured"),
        Field("n", "long", "Rings, gangs or people that it rests on", nullable=False),
    ),
    primary_key=("as_of_date", "measure", "slice"),
    partition_by=("as_of_date",),
    written_by="evaluate_rings",
    properties=KEPT_A_MONTH | WITHOUT_LIMITS,
)

RING_TABLES = (
    ACCOUNT_LINK,
    ACCOUNT_LINK_CUT,
    RING_LINK,
    RING,
    RING_FINDING,
    RING_MEMBER,
    RING_HISTORY,
    MEMBER_RING_FEATURE,
    RING_RESULT,
)
