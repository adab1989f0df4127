"""The reference tables of the landing contract: who and what is insured, treats and is dispensed."""

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

PERSON = LandingTable(
    name="person",
    kind="reference",
    is_pinned=True,
    grain="an insured member",
    key=("psn_no",),
    fields=(
        required("psn_no", "string", "member_id", "The insured account"),
        optional("gend", "string", "sex", "1 male, 2 female, 9 unknown", "1", "2", "9"),
        optional("brdy", "date", "birth_date", "Date of birth"),
        optional(
            "insutype", "string", "insurance_type", "310 employee, 390 resident", "310", "390"
        ),
        optional("psn_type", "string", "member_type", "worker, retired, resident, student_child"),
        optional("insuplc_admdvs", "string", "district", "6-digit district of insurance"),
        optional("household_id", "string", "household_id", "Household"),
        optional("cert_hash", "string", "cert_hash", "Keyed hash of the identity document"),
        optional("tel_hash", "string", "phone_hash", "Keyed hash of the phone number"),
        optional("addr_hash", "string", "address_hash", "Keyed hash of the address"),
        optional("home_lat", "double", "home_latitude", "WGS84 degrees, rounded to 0.01"),
        optional("home_lon", "double", "home_longitude", "WGS84 degrees, rounded to 0.01"),
        optional("insured_from", "date", "insured_from", "First insured day"),
        open_ended("paused_from", "paused_from", "First day of a pause in insurance"),
        open_ended("death_date", "death_date", "Day of death"),
        ARRIVE_TIME,
    ),
    checks=(
        at_most("birth_date", "death_date", "no one dies before birth"),
        at_most("birth_date", "arrive_time", "no one is insured before birth"),
        at_most("birth_date", "paused_from", "no insurance pauses before birth"),
        at_most("insured_from", "paused_from", "no insurance pauses before it begins"),
        between("home_latitude", -90, 90, "degrees"),
        between("home_longitude", -180, 180, "degrees"),
    ),
)

INSTITUTION = LandingTable(
    name="institution",
    kind="reference",
    is_pinned=True,
    grain="a designated medical institution",
    key=("fixmedins_code",),
    fields=(
        required("fixmedins_code", "string", "institution_id", "The designated institution"),
        optional("fixmedins_name", "string", "institution_name", "Name"),
        optional(
            "inst_type",
            "string",
            "institution_type",
            "Kind of institution",
            "hospital",
            "clinic",
            "pharmacy",
            "village",
        ),
        optional("medinslv", "string", "institution_level", "Level 1 to 3, 9 for pharmacies"),
        optional(
            "dual_channel",
            "boolean",
            "is_dual_channel",
            "May dispense negotiated hospital drugs",
        ),
        optional(
            "visit_cap", "decimal(16,2)", "visit_cap_amount", "Most a visit may settle here, yuan"
        ),
        optional("admdvs", "string", "district", "6-digit district"),
        optional("lat", "double", "latitude", "WGS84 degrees, rounded to 0.01"),
        optional("lon", "double", "longitude", "WGS84 degrees, rounded to 0.01"),
        optional("contract_from", "date", "contract_from", "First day of the contract"),
        open_ended("contract_to", "contract_to", "Last day of the contract"),
        ARRIVE_TIME,
    ),
    checks=(
        at_most("contract_from", "contract_to", "a contract ends after it begins"),
        between("latitude", -90, 90, "degrees"),
        between("longitude", -180, 180, "degrees"),
    ),
)

DOCTOR = LandingTable(
    name="doctor",
    kind="reference",
    grain="a doctor at an institution",
    key=("dr_codg", "fixmedins_code"),
    fields=(
        required("dr_codg", "string", "doctor_id", "The doctor"),
        required("fixmedins_code", "string", "institution_id", "Where the doctor works"),
        optional("dept", "string", "department", "Department"),
        ARRIVE_TIME,
    ),
    references=(Reference("fixmedins_code", "institution", "fixmedins_code"),),
)

DRUG = LandingTable(
    name="drug",
    kind="reference",
    grain="a drug of the catalogue",
    key=("med_list_codg",),
    fields=(
        required("med_list_codg", "string", "drug_id", "The catalogue's code"),
        optional("drug_name", "string", "drug_name", "Name"),
        optional("ingredient", "string", "ingredient", "Same ingredient means same therapy"),
        optional("atc", "string", "atc_code", "WHO ATC code where one exists"),
        optional(
            "category",
            "string",
            "category",
            "Kind of drug",
            "chemical",
            "biological",
            "tcm_patent",
            "tcm_injection",
            "herb_tonic",
        ),
        optional(
            "days_per_box", "double", "days_per_box", "Days' supply of a box at the label dose"
        ),
        optional("ddd_per_box", "double", "ddd_per_box", "WHO defined daily doses in a box"),
        optional("monthly_max_boxes", "double", "monthly_max_boxes", "Most boxes a month"),
        optional("max_boxes_visit", "double", "visit_max_boxes", "Most boxes a visit may settle"),
        optional("list_price", "decimal(16,2)", "list_price", "Yuan a box"),
        optional("resale_ratio", "double", "resale_ratio", "Street price over list price"),
        optional("chronic", "boolean", "is_chronic", "For a chronic disease"),
        optional("cold_chain", "boolean", "is_cold_chain", "Must be kept cold"),
        optional(
            "indications",
            "string",
            "indications",
            "ICD-10 prefixes joined by semicolons; any if empty",
        ),
        open_ended("watch_from", "watch_from", "First day on the over-dispensing watch list"),
        open_ended("trace_from", "trace_from", "First day on which boxes must be scanned"),
        ARRIVE_TIME,
    ),
    checks=(
        between("list_price", 0, None, "yuan"),
        between("days_per_box", 0, 3660, "days"),
    ),
)

SPECIAL_DISEASE = LandingTable(
    name="special_disease",
    kind="reference",
    grain="a special disease",
    key=("opsp_dise_code",),
    fields=(
        required("opsp_dise_code", "string", "special_disease_code", "The special disease"),
        optional("opsp_dise_name", "string", "special_disease_name", "Name"),
        optional("indications", "string", "indications", "ICD-10 prefixes joined by semicolons"),
        ARRIVE_TIME,
    ),
)

PERSON_CONDITION = LandingTable(
    name="person_condition",
    kind="reference",
    is_pinned=True,
    grain="a chronic condition of a member",
    key=("psn_no", "condition"),
    fields=(
        required("psn_no", "string", "member_id", "The insured account"),
        required("condition", "string", "condition", "A chronic condition known to the insurer"),
        optional("since", "date", "since_date", "First day on which it was known"),
        ARRIVE_TIME,
    ),
    references=(Reference("psn_no", "person", "psn_no"),),
)

REFERENCE_TABLES = (PERSON, INSTITUTION, DOCTOR, DRUG, SPECIAL_DISEASE, PERSON_CONDITION)
