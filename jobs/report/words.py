"""Codes of the tables and the words that a reader sees for them."""

from expectations.landing.codes import (
    CARD_HOLDER,
    CERTIFICATE_VISIT,
    COLLECTOR,
    DEALER,
    DISPENSER,
    DOCTOR,
    ORGANISER,
    OUTPATIENT,
    PHARMACY,
    PHARMACY_VISIT,
    SELLER,
    STAY,
    VICTIM,
)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "to be translated"
    """Mark a text for the catalogue."""
    return message


TABLES = {
    "person": N_("insured members"),
    "institution": N_("designated institutions"),
    "doctor": N_("doctors"),
    "drug": N_("drugs of the catalogue"),
    "special_disease": N_("special diseases"),
    "person_condition": N_("chronic conditions of members"),
    "special_cert": N_("special-disease certificates"),
    "settlement": N_("settlements"),
    "fee_detail": N_("fee lines"),
    "settlement_code": N_("diagnosis and procedure codes"),
    "settlement_doctor": N_("doctors on settlements"),
    "proxy_pickup": N_("proxy pick-ups"),
    "trace_scan": N_("trace-code scans"),
    "parcel": N_("parcels"),
    "clue": N_("clues"),
    "closed_case": N_("closed cases"),
}

LINK_KINDS = {
    "shared_member": N_("shared members"),
    "shared_doctor": N_("shared doctors"),
    "repeated_claim": N_("repeated claims"),
}

#: Patterns of conf/typologies.yaml. A new one shows under its own name until it is added here.
TYPOLOGIES = {
    "over_supply": N_("more drugs than can be used"),
    "early_refill_across_institutions": N_("refilled elsewhere before the last supply was used"),
    "many_institutions": N_("many institutions and prescribers"),
    "same_day_institutions": N_("several institutions on one day"),
    "small_and_frequent": N_("many visits, each for little"),
    "cap_hugging": N_("just below the limit of a visit"),
    "diagnosis_mismatch": N_("drugs that no diagnosis explains"),
    "drugs_without_care": N_("drugs with hardly any examination of the holder"),
    "certificate_misuse": N_("a special-disease certificate used beyond its disease"),
    "resale_prone_mix": N_("drugs that resell well"),
    "not_the_holder": N_("used where the holder can't have been"),
    "shared_credential": N_("phones or proxies shared with strangers"),
    "sudden_wake_up": N_("much use after a long rest"),
    "resold_boxes": N_("boxes that were sold again"),
    "dispenses_beyond_need": N_("dispenses beyond need"),
    "sudden_sales": N_("a sudden rise of sales"),
    "unusual_pharmacy": N_("ratios far from those of its kind"),
    "batch_settlement": N_("many members settled at once"),
    "sold_without_inbound_scan": N_("sold without having been received"),
    "duplicate_trace_codes": N_("boxes sold that had been sold before"),
    "prescribes_beyond_need": N_("prescribes beyond need"),
    "certificates_issued": N_("many certificates issued"),
    "linked_accounts": N_("does things together with strangers"),
}

#: What somebody's part in a ring is consistent with.
ROLES = {
    CARD_HOLDER: N_("card holder"),
    COLLECTOR: N_("collector"),
    DISPENSER: N_("dispenser"),
    DEALER: N_("dealer"),
    SELLER: N_("seller"),
    ORGANISER: N_("organiser"),
    PHARMACY: N_("main counter"),
    DOCTOR: N_("doctor"),
    VICTIM: N_("victim"),
}

PART_KINDS = {
    "member": N_("person"),
    "institution": N_("institution"),
    "operator": N_("operator"),
    "phone": N_("phone"),
}

#: Codes of gold.ring_member.
ROLE_REASONS = {
    "linked_account": N_("linked to others of the ring more closely than chance explains"),
    "carries_accounts_of_others": N_("proxy, or owner of the proxy's phone, for others"),
    "carries_most_of_the_ring": N_("carries most of the ring, and more than anybody else"),
    "kept_by_staff": N_(
        "served by one operator, and nobody comes for the holder: staff may keep the card"
    ),
    "shows_vouchers_of_several": N_("shows the e-vouchers of several accounts"),
    "serves_several_more_often_than_not": N_("serves several accounts more often than not"),
    "most_visits_of_most_accounts": N_("has most visits of most accounts"),
}

#: Findings of gold.ring_finding.
RING_FINDINGS = {
    "family": N_("family"),
    "linked_kin": N_("kin who come along"),
    "many_places": N_("many places in common"),
    "one_counter": N_("one counter"),
    "role_split": N_("split roles"),
    "rotation": N_("cards in turn"),
    "shared_credentials": N_("one carrier"),
}

INSTITUTION_KINDS = {
    "hospital": N_("hospital"),
    "clinic": N_("clinic"),
    "pharmacy": N_("pharmacy"),
    "village": N_("village room"),
}

STATES = {
    "proposed": N_("proposed"),
    "approved": N_("approved"),
    "rejected": N_("rejected"),
    "expired": N_("expired"),
}

SUBJECTS = {"institution": N_("institution"), "doctor": N_("doctor")}

VISIT_KINDS = {
    OUTPATIENT: N_("outpatient visit"),
    CERTIFICATE_VISIT: N_("visit over a special-disease certificate"),
    STAY: N_("stay in hospital"),
    PHARMACY_VISIT: N_("pharmacy"),
}
OTHER_VISIT = N_("other visit")

OUTCOMES = {1: N_("confirmed"), 0: N_("no finding")}

RUN_OUTCOMES = {
    "succeeded": N_("succeeded"),
    "skipped": N_("skipped"),
    "refused": N_("refused"),
    "failed": N_("failed"),
}

EXPECTATIONS = {
    "expect_column_values_to_not_be_null": N_("is filled in every row"),
    "expect_column_values_to_be_in_set": N_("holds only allowed values"),
    "expect_column_values_to_be_unique": N_("occurs once only"),
    "expect_compound_columns_to_be_unique": N_("occur together once only"),
    "expect_column_values_to_be_between": N_("lies in its plausible range"),
    "expect_column_pair_values_a_to_be_greater_than_b": N_("the first is not below the second"),
}

#: What ingest and conform write as reasons, as patterns, and the words for them.
QUARANTINE_REASONS = (
    (
        r"record: does not have as many fields as the header",
        N_("the record does not have as many fields as the header"),
    ),
    (r"(?P<column>\w+): can't be read as (?P<type>.+)", N_("%(column)s can't be read as %(type)s")),
    (
        r"(?P<column>\w+): is empty, and it is required",
        N_("%(column)s is empty, and it is required"),
    ),
    (r"(?P<column>\w+): is not valid UTF-8", N_("%(column)s is not valid UTF-8")),
    (r"(?P<column>\w+): is none of (?P<values>.+)", N_("%(column)s is not one of %(values)s")),
    (
        r"(?P<column>\w+): lies in the future of arrive_time.*",
        N_("%(column)s lies after the arrival of the row (a clock error?)"),
    ),
    (
        r"(?P<column>\w+): points at no row of (?P<table>\w+)",
        N_("%(column)s refers to none of the %(table)s"),
    ),
    (
        r"(?P<column>\w+): holds a placeholder, not a value",
        N_("%(column)s holds a placeholder, and it is required"),
    ),
    (r"(?P<column>\w+): names the row itself", N_("%(column)s names the row itself")),
    (
        r"(?P<column>\w+): is above zero in a refund",
        N_("%(column)s is above zero in a refund"),
    ),
    (
        r"(?P<column>\w+): is not 1 in a row that takes another back",
        N_("%(column)s is not 1 in a row that takes another back"),
    ),
)

FIGURES = {
    "average_precision": N_("average precision"),
    "roc_auc": N_("area under the ROC curve"),
    "brier": N_("Brier score"),
    "precision_at_10": N_("precision in the first 10"),
    "precision_at_20": N_("precision in the first 20"),
    "precision_at_50": N_("precision in the first 50"),
    "recall_at_10": N_("recall in the first 10"),
    "recall_at_20": N_("recall in the first 20"),
    "recall_at_50": N_("recall in the first 50"),
}

CONTENDERS = {
    "trees": N_("gradient-boosted trees"),
    "trees_plain": N_("trees on 19 plain features"),
    "logistic": N_("logistic regression"),
    "claim_count": N_("ranking by claim count"),
    "amount": N_("ranking by amount"),
}

SUBSETS = {
    "with_basis": N_("institutions with a basis"),
    "all_labelled": N_("all with a known outcome"),
}

#: What score_subjects gives as the reason for no score.
UNSCORED_REASONS = (
    (
        r"no inpatient claims before (?P<day>\d{4}-\d{2}-\d{2})",
        N_("no inpatient claims before %(day)s"),
    ),
    (r"no claims before (?P<day>\d{4}-\d{2}-\d{2})", N_("no claims before %(day)s")),
)
