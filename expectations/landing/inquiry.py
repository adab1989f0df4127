"""The event tables that inquiries rest on: scans of boxes, parcels, tip-offs and closed cases."""

from expectations.landing.codes import NO_ROLE, OUTCOMES, ROLES
from expectations.landing.table import (
    ARRIVE_TIME,
    LandingTable,
    Reference,
    at_most,
    between,
    open_ended,
    optional,
    required,
)

TRACE_SCAN = LandingTable(
    name="trace_scan",
    kind="event",
    grain="a scan of a box's trace code",
    key=("scan_id",),
    fields=(
        required("scan_id", "string", "scan_id", "The scan"),
        required("drug_trac_codg", "string", "trace_code", "One box, one code"),
        optional("scan_type", "string", "scan_type", "Way of the box", "inbound", "sale", "return"),
        required("scan_time", "timestamp", "scan_time", "When it was scanned"),
        required("fixmedins_code", "string", "institution_id", "Where it was scanned"),
        optional("med_list_codg", "string", "drug_id", "The drug"),
        optional("setl_id", "string", "settlement_id", "For sale and return"),
        optional("psn_no", "string", "member_id", "The insured account"),
        optional("split_pack", "boolean", "is_split_pack", "A split pack may be sold many times"),
        ARRIVE_TIME,
    ),
    references=(
        Reference("fixmedins_code", "institution", "fixmedins_code"),
        # A box that comes up in another province was settled there.
        Reference("setl_id", "settlement", "setl_id", place="fixmedins_code"),
    ),
    event_time="scan_time",
)

PARCEL = LandingTable(
    name="parcel",
    kind="event",
    grain="a parcel",
    key=("waybill_no",),
    fields=(
        required("waybill_no", "string", "waybill_id", "The waybill"),
        required("send_time", "timestamp", "send_time", "When it was sent"),
        optional("sender_tel_hash", "string", "sender_phone_hash", "Sender's phone, hashed"),
        optional("sender_addr_hash", "string", "sender_address_hash", "Sender's address, hashed"),
        optional("sender_admdvs", "string", "sender_district", "Sender's district"),
        optional("recv_tel_hash", "string", "receiver_phone_hash", "Receiver's phone, hashed"),
        optional("recv_addr_hash", "string", "receiver_address_hash", "Receiver's address, hashed"),
        optional("recv_admdvs", "string", "receiver_district", "Receiver's district"),
        optional(
            "recv_addr_type",
            "string",
            "receiver_address_type",
            "Kind of address",
            "home",
            "shop",
            "pharmacy",
            "clinic",
            "warehouse",
            "unknown",
        ),
        optional("declared_goods", "string", "declared_goods", "What the sender declared"),
        optional("weight_kg", "double", "weight_kg", "Kilograms"),
        optional("cold_pack", "boolean", "is_cold_pack", "Sent cold"),
        required(
            "legal_basis_id", "string", "legal_basis_id", "Warrant or request it was got under"
        ),
        ARRIVE_TIME,
    ),
    event_time="send_time",
    checks=(between("weight_kg", 0, 1000, "kilograms"),),
)

CLUE = LandingTable(
    name="clue",
    kind="event",
    grain="a clue",
    key=("clue_id",),
    fields=(
        required("clue_id", "string", "clue_id", "The clue"),
        optional(
            "channel",
            "string",
            "channel",
            "How it came in",
            "hotline",
            "walk_in",
            "online",
            "institution",
            "police",
            "model",
            "other_agency",
        ),
        required("recv_time", "timestamp", "receive_time", "When it came in"),
        optional(
            "subject_type",
            "string",
            "subject_type",
            "What it is about",
            "person",
            "institution",
            "doctor",
            "phone",
            "address",
            "unknown",
        ),
        optional("subject_id", "string", "subject_id", "Identifier or hash; may be wrong or empty"),
        optional("text", "string", "clue_text", "Free text, Chinese or English, without names"),
        optional("drug_text", "string", "drug_text", "Drugs as named by the informant"),
        optional("place_text", "string", "place_text", "Places as named by the informant"),
        optional("verified", "boolean", "is_verified", "Empty until someone has checked it"),
        ARRIVE_TIME,
    ),
    event_time="recv_time",
)

CLOSED_CASE = LandingTable(
    name="closed_case",
    kind="event",
    is_pinned=True,
    grain="a subject of a case",
    key=("case_id", "subject_type", "subject_id"),
    fields=(
        required("case_id", "string", "case_id", "The case"),
        required(
            "subject_type",
            "string",
            "subject_type",
            "What the subject is",
            "person",
            "institution",
            "doctor",
        ),
        required("subject_id", "string", "subject_id", "Member, institution or doctor"),
        optional(
            "role",
            "string",
            "role",
            "Part in the case; collector is who collects cards and drugs",
            *ROLES,
            NO_ROLE,
        ),
        optional("gang_id", "string", "gang_id", "Empty for a lone offender"),
        optional(
            "trigger",
            "string",
            "trigger",
            "What opened the case",
            "tip",
            "model",
            "audit",
            "police",
            "other_agency",
            "random_audit",
        ),
        optional("offence_start", "date", "offence_start_date", "First day of the offence"),
        open_ended("offence_end", "offence_end_date", "Last day of the offence"),
        optional("clue_time", "timestamp", "clue_time", "When the first clue was received"),
        required("open_time", "timestamp", "open_time", "When the case was opened"),
        optional(
            "decision_time", "timestamp", "decision_time", "Empty while open; then it is no label"
        ),
        optional(
            "outcome",
            "string",
            "outcome",
            "cleared is a hard negative; no_finding was looked at without a finding",
            *OUTCOMES,
        ),
        optional("final", "boolean", "is_final", "False while an appeal is pending"),
        optional("loss_amt", "decimal(16,2)", "loss_amount", "Proven loss to the fund, yuan"),
        optional("recovered_amt", "decimal(16,2)", "recovered_amount", "Recovered, yuan"),
        ARRIVE_TIME,
    ),
    event_time="decision_time",
    checks=(
        at_most("offence_start_date", "offence_end_date", "an offence ends after it begins"),
        at_most("open_time", "decision_time", "a case is decided after it was opened"),
    ),
)

INQUIRY_TABLES = (TRACE_SCAN, PARCEL, CLUE, CLOSED_CASE)
