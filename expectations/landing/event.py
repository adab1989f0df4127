"""The event tables of the landing contract, claims first: visits, fees, codes, doctors, pick-ups."""

from expectations.contract.table import Belonging, Check
from expectations.landing.codes import CREDENTIAL_TYPES, VISIT_TYPES
from expectations.landing.reasons import (
    NAMELESS_REFUND,
    NEGATIVE_AMOUNT,
    OTHER_SIGN,
    OWN_ORIGINAL,
    POSITIVE_REFUND,
    UNMARKED_REFUND,
    RowReason,
)
from expectations.landing.table import (
    ARRIVE_TIME,
    LandingTable,
    Reference,
    RowFault,
    at_most,
    between,
    open_ended,
    optional,
    required,
)

_SETTLEMENT_ID = required("setl_id", "string", "settlement_id", "The settlement")
_OF_SETTLEMENT = Reference("setl_id", "settlement", "setl_id")
_OF_PERSON = Reference("psn_no", "person", "psn_no")
_IS_REFUND = "coalesce(refd_setl_flag = '1', false)"
_OF_INSTITUTION = Reference("fixmedins_code", "institution", "fixmedins_code")

SPECIAL_CERT = LandingTable(
    name="special_cert",
    kind="event",
    grain="a special-disease certificate of a member",
    key=("psn_no", "opsp_dise_code", "begndate"),
    fields=(
        required("psn_no", "string", "member_id", "The insured account"),
        required("opsp_dise_code", "string", "special_disease_code", "The certified disease"),
        required("begndate", "date", "start_date", "First day in force"),
        open_ended("enddate", "end_date", "Last day in force"),
        optional("ide_fixmedins_no", "string", "institution_id", "Certifying institution"),
        optional("diag_dr_codg", "string", "doctor_id", "Diagnosing doctor"),
        optional("annual_cap", "decimal(16,2)", "annual_cap_amount", "Most a year, yuan"),
        ARRIVE_TIME,
    ),
    references=(_OF_PERSON,),
    checks=(at_most("start_date", "end_date", "a certificate ends after it begins"),),
)

SETTLEMENT = LandingTable(
    name="settlement",
    kind="event",
    is_pinned=True,
    grain="a settlement",
    key=("setl_id",),
    fields=(
        _SETTLEMENT_ID,
        required("mdtrt_id", "string", "visit_id", "The visit"),
        required("psn_no", "string", "member_id", "The insured account"),
        required("fixmedins_code", "string", "institution_id", "Where it was settled"),
        required("setl_time", "timestamp", "settlement_time", "When it was settled"),
        optional(
            "med_type",
            "string",
            "visit_type",
            "11 outpatient, 14 chronic or special disease, 21 inpatient, 41 pharmacy",
            *VISIT_TYPES,
        ),
        optional(
            "dise_codg",
            "string",
            "diagnosis_code",
            "Principal diagnosis, ICD-10 unless settlement_code says otherwise",
        ),
        optional("begntime", "timestamp", "start_time", "Admission or start of the visit"),
        optional("endtime", "timestamp", "end_time", "Discharge or end of the visit"),
        optional(
            "mdtrt_cert_type",
            "string",
            "credential_type",
            "01 e-voucher, 02 identity card, 03 insurance card",
            *CREDENTIAL_TYPES,
        ),
        optional("device_hash", "string", "device_hash", "Phone that showed the e-voucher, hashed"),
        optional("terminal_id", "string", "terminal_id", "Point-of-sale terminal"),
        optional("opter_no", "string", "operator_id", "Operator of the terminal"),
        required("medfee_sumamt", "decimal(16,2)", "total_amount", "All fees of the visit, yuan"),
        required("fund_pay_sumamt", "decimal(16,2)", "fund_amount", "Paid by the fund, yuan"),
        optional("acct_pay", "decimal(16,2)", "account_amount", "Paid from the account, yuan"),
        optional("psn_cash_pay", "decimal(16,2)", "cash_amount", "Paid in cash, yuan"),
        optional(
            "refd_setl_flag", "string", "refund_flag", "1 = refund, negative amounts", "0", "1"
        ),
        optional(
            "orig_setl_id",
            "string",
            "original_settlement_id",
            "The settlement that a refund reverses",
        ),
        ARRIVE_TIME,
    ),
    references=(_OF_PERSON, _OF_INSTITUTION, Reference("orig_setl_id", "settlement", "setl_id")),
    event_time="setl_time",
    # A refund has an id of its own, the flag, negative amounts and the id of what it reverses.
    faults=(
        RowFault("orig_setl_id = setl_id", RowReason(OWN_ORIGINAL, "orig_setl_id")),
        # It may be the settlement itself under its own id, which it must not replace.
        RowFault(
            f"{_IS_REFUND} AND orig_setl_id IS NULL", RowReason(NAMELESS_REFUND, "orig_setl_id")
        ),
        RowFault(
            f"{_IS_REFUND} AND medfee_sumamt > 0", RowReason(POSITIVE_REFUND, "medfee_sumamt")
        ),
        RowFault(
            f"{_IS_REFUND} AND fund_pay_sumamt > 0", RowReason(POSITIVE_REFUND, "fund_pay_sumamt")
        ),
        RowFault(
            f"orig_setl_id IS NOT NULL AND NOT {_IS_REFUND}",
            RowReason(UNMARKED_REFUND, "refd_setl_flag"),
        ),
        RowFault(
            f"orig_setl_id IS NULL AND NOT {_IS_REFUND} AND medfee_sumamt < 0",
            RowReason(NEGATIVE_AMOUNT, "medfee_sumamt"),
        ),
        RowFault(
            f"orig_setl_id IS NULL AND NOT {_IS_REFUND} AND fund_pay_sumamt < 0",
            RowReason(NEGATIVE_AMOUNT, "fund_pay_sumamt"),
        ),
    ),
    checks=(
        at_most("start_time", "end_time", "a visit ends after it starts"),
        at_most("end_time", "arrive_time", "a visit that is not over has not arrived"),
        Check(
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {
                "column_A": "total_amount",
                "column_B": "fund_amount",
                "or_equal": True,
                "row_condition": "refund_flag is null or refund_flag = '0'",
                "condition_parser": "spark",
            },
            severity="warning",
            note="the fund pays no more than the visit cost",
        ),
    ),
    belongs=Belonging(
        "settlement",
        "original_settlement_id",
        "settlement_id",
        "total_amount",
        "total_amount",
        "member_id",
        "refunds take back no more than the visit cost, from whose visit it was",
    ),
)

FEE_DETAIL = LandingTable(
    name="fee_detail",
    kind="event",
    grain="a fee line of a settlement",
    key=("setl_id", "feedetl_sn"),
    fields=(
        _SETTLEMENT_ID,
        required("feedetl_sn", "string", "line_number", "The line within the settlement"),
        optional(
            "orig_feedetl_sn",
            "string",
            "original_line_number",
            "The line that a refund line reverses",
        ),
        required("psn_no", "string", "member_id", "The insured account"),
        required("fee_ocur_time", "timestamp", "fee_time", "When the fee was incurred"),
        optional("med_list_codg", "string", "drug_id", "The drug; empty for a non-drug fee"),
        optional(
            "item_type",
            "string",
            "item_type",
            "What the fee is for",
            "drug",
            "exam",
            "treatment",
            "material",
            "other",
        ),
        optional("bilg_dr_codg", "string", "doctor_id", "Billing doctor"),
        required("cnt", "decimal(16,4)", "quantity", "Boxes, for a drug"),
        optional("pric", "decimal(16,6)", "unit_price", "Yuan a unit"),
        required("det_item_fee_sumamt", "decimal(16,2)", "line_amount", "Yuan"),
        optional(
            "prd_days", "decimal(6,2)", "supply_days", "Often empty; then days_per_box x quantity"
        ),
        ARRIVE_TIME,
    ),
    references=(_OF_SETTLEMENT,),
    event_time="fee_ocur_time",
    faults=(
        RowFault(
            "cnt * det_item_fee_sumamt < 0",
            RowReason(OTHER_SIGN, "cnt", {"other": "det_item_fee_sumamt"}),
        ),
    ),
    checks=(between("unit_price", 0, None, "yuan"), between("supply_days", 0, 3660, "days")),
    belongs=Belonging(
        "settlement",
        "settlement_id",
        "settlement_id",
        "line_amount",
        "total_amount",
        "member_id",
        "the lines of a visit add up to no more than it cost, and are of whose visit it was",
    ),
)

SETTLEMENT_CODE = LandingTable(
    name="settlement_code",
    kind="event",
    is_pinned=True,
    grain="a coded diagnosis, group or procedure of a settlement",
    key=("setl_id", "code_type", "seq"),
    fields=(
        _SETTLEMENT_ID,
        required(
            "code_type",
            "string",
            "code_type",
            "What the code says",
            "diagnosis",
            "admit_diagnosis",
            "drg",
            "procedure",
        ),
        required("seq", "integer", "sequence", "Position within its type"),
        optional(
            "code_system", "string", "code_system", "Coding system", "icd10", "icd9", "drg", "local"
        ),
        required("code", "string", "code", "The code"),
        ARRIVE_TIME,
    ),
    references=(_OF_SETTLEMENT,),
)

SETTLEMENT_DOCTOR = LandingTable(
    name="settlement_doctor",
    kind="event",
    is_pinned=True,
    grain="a doctor's part in a settlement",
    key=("setl_id", "role", "dr_codg"),
    fields=(
        _SETTLEMENT_ID,
        required(
            "role",
            "string",
            "role",
            "The doctor's part",
            "attending",
            "operating",
            "other",
            "ordering",
        ),
        required("dr_codg", "string", "doctor_id", "The doctor"),
        ARRIVE_TIME,
    ),
    references=(_OF_SETTLEMENT,),
)

PROXY_PICKUP = LandingTable(
    name="proxy_pickup",
    kind="event",
    grain="a proxy who collected for a member",
    key=("setl_id", "agnter_cert_hash"),
    fields=(
        _SETTLEMENT_ID,
        required("agnter_cert_hash", "string", "proxy_cert_hash", "The proxy's document, hashed"),
        optional("agnter_tel_hash", "string", "proxy_phone_hash", "The proxy's phone, hashed"),
        optional("agnter_rlts", "string", "proxy_relation", "Stated relation to the member"),
        ARRIVE_TIME,
    ),
    references=(_OF_SETTLEMENT,),
)

CLAIM_TABLES = (
    SPECIAL_CERT,
    SETTLEMENT,
    FEE_DETAIL,
    SETTLEMENT_CODE,
    SETTLEMENT_DOCTOR,
    PROXY_PICKUP,
)
