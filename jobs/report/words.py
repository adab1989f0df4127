"""Codes of the tables and the words that a reader sees for them."""

from expectations.landing import reasons
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
    "resembles_fraud": N_("stands among its peers where accounts in fraud stood"),
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
    "doctor": N_("doctor"),
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
    "main_doctor_beyond_others": N_("main doctor of more of the ring than of everybody else there"),
    "main_counter_beyond_neighbours": N_(
        "main counter of more accounts of the ring than of their neighbours"
    ),
    "boxes_of_the_ring_sold_again": N_("boxes of the ring were sold again here"),
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

#: What speaks for a place in the list.
RANKED_BY = {
    "rules": N_("rules and links"),
    "model": N_("model"),
    "both": N_("rules, links and model"),
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

#: What keeps a row in quarantine, by code. `%(table)s` is a table in words.
ROW_REASONS = {
    reasons.WRONG_FIELD_COUNT: N_("the record does not have as many fields as the header"),
    reasons.UNREADABLE: N_("%(column)s can't be read as %(type)s"),
    reasons.REQUIRED: N_("%(column)s is empty, and it is required"),
    reasons.IMPLAUSIBLE_YEAR: N_("%(column)s lies outside the years %(first)s to %(last)s"),
    reasons.NOT_UTF8: N_("%(column)s is not valid UTF-8"),
    reasons.NUL_CHARACTER: N_("%(column)s holds a NUL character"),
    reasons.SHORTENED_NUMBER: N_(
        "%(column)s is a number that a spreadsheet shortened, its digits are lost"
    ),
    reasons.UNSEEN_LETTER: N_("%(column)s holds a letter that does not show"),
    reasons.SPREADSHEET_TEXT: N_(
        "%(column)s is what a spreadsheet writes for a text or in place of a number"
    ),
    reasons.QUOTATION_MARK: N_("%(column)s holds a quotation mark, and an id or code has none"),
    reasons.DECIMAL_ID: N_("%(column)s is a number with decimals (.0), and an id or code has none"),
    reasons.NOT_LISTED: N_("%(column)s is not one of %(values)s"),
    reasons.AFTER_ARRIVAL: N_("%(column)s lies after the arrival of the row (a clock error?)"),
    reasons.MISSING_PARENT: N_("%(column)s refers to none of the %(table)s"),
    reasons.REVERSING_PARENT: N_(
        "%(column)s refers to a row that takes back another itself; only an original can be taken back"
    ),
    reasons.PLACEHOLDER: N_("%(column)s holds a placeholder, and it is required"),
    reasons.OWN_ORIGINAL: N_("%(column)s names the row itself"),
    reasons.NAMELESS_REFUND: N_("%(column)s is empty in a refund"),
    reasons.POSITIVE_REFUND: N_("%(column)s is above zero in a refund"),
    reasons.UNMARKED_REFUND: N_("%(column)s is not 1 in a row that takes another back"),
    reasons.NEGATIVE_AMOUNT: N_("%(column)s is below zero in a row that is no refund"),
    reasons.OTHER_SIGN: N_("%(column)s has another sign than %(other)s"),
}

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

#: What a model is about, as a heading.
MODEL_SUBJECTS = {"institution": N_("Model of institutions"), "member": N_("Model of accounts")}

#: A challenger against the champion.
VERDICTS = {
    "better": N_("better beyond noise"),
    "worse": N_("worse beyond noise"),
    "alike": N_("not clearly different"),
    "unknown": N_("not compared"),
}
RECOMMENDATIONS = {
    "better": N_(
        "Promote version %(challenger)s: on the same rows it ranks better than version %(champion)s, and the"
        " difference is larger than noise. Look at what changes in the list first."
    ),
    "worse": N_(
        "Keep version %(champion)s: on the same rows version %(challenger)s ranks worse, and the difference is"
        " larger than noise. promote_model refuses it unless it is overridden with a reason."
    ),
    "alike": N_(
        "Keep version %(champion)s, unless version %(challenger)s has another advantage, such as newer cases or"
        " fewer features: the difference may be noise. promote_model asks for that reason."
    ),
    "unknown": N_(
        "Decide nothing yet: versions %(champion)s and %(challenger)s could not be judged on the same rows, for the"
        " reason given here. promote_model refuses version %(challenger)s unless it is overridden with a reason."
    ),
}

#: What is watched of a model in use, by measure: a heading, what it means, what to do beyond the limit.
WATCHED = {
    "score_psi": N_("Drift of the scores"),
    "input_psi": N_("Drift of the inputs"),
    "precision": N_("Precision of the lists, as cases close"),
    "calibration_gap": N_("Calibration"),
    "label_delay_days": N_("Delay of decisions"),
    "district_share": N_("Districts of the week's accounts"),
}
_PSI = N_(
    "Population stability index: 0 if the distribution is that of the reference. Each limit is the configured one, or"
    " what chance alone reaches among so few rows."
)
WATCHED_TEXTS = {
    "score_psi": _PSI,
    "input_psi": _PSI,
    "precision": N_(
        "Of a week's accounts whose case was decided since, the confirmed share. Open cases are not counted, so recent"
        " weeks rest on few."
    ),
    "calibration_gap": N_(
        "Mean score less confirmed share, of the accounts decided since. People look at high scores first, so this is"
        " no random sample: the draws at random correct it once enough are decided."
    ),
    "label_delay_days": N_(
        "Median days from the first clue to the decision. So long after a day its cases are still open."
    ),
    "district_share": N_(
        "A district's share of the week's accounts. The limit is a multiple of its share of the members."
    ),
}
#: What a day is compared with.
REFERENCES = {
    "scores": N_("the scores of %(day)s"),
    "training": N_("the training rows of %(day)s"),
}
#: Accounts drawn at random, by where they were drawn from.
DRAWS = {
    "listed": N_("drawn at random from the rest of the list"),
    "unlisted": N_("drawn at random from accounts that are not listed"),
}
ADVICE = {
    "score_psi": N_(
        "the scores are no longer distributed as before. Look at the inputs that drifted; if care or rules of"
        " prescribing changed, train_model on newer cases, compare_models, and let a reviewer promote it."
    ),
    "input_psi": N_(
        "these inputs are no longer distributed as before. Ask whether rules of prescribing, codes or deliveries"
        " changed (ops/value_profile); correct the rule in conf/typologies.yaml or train_model again."
    ),
    "precision": N_(
        "fewer of the listed accounts are confirmed than the limit asks for. Read the reasons of those that were"
        " cleared, correct their rules, train_model again, or promote an earlier version."
    ),
    "calibration_gap": N_(
        "the scores are no probabilities any more. Do not read them as such; train_model again, which calibrates anew."
    ),
    "label_delay_days": N_(
        "decisions come late, so the newest months look cleaner than they are. Train as of an earlier day, and judge"
        " the newest lists later."
    ),
    "district_share": N_(
        "far more of the week's accounts come from these districts than of the members. Ask whether one institution, a"
        " local rule or a faulty delivery explains it before people are sent there."
    ),
}

SUBSETS = {
    "with_basis": N_("institutions with a basis"),
    "all_labelled": N_("all with a known outcome"),
}

#: Why an institution has no score, by code.
UNSCORED_REASONS = {
    "no_inpatient_claims": N_("no inpatient claims before %(day)s"),
    "no_claims": N_("no claims before %(day)s"),
}
