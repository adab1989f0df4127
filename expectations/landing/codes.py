"""The codes of the landing contract that code compares with: each is spelled here and nowhere else."""

#: Kinds of visit (`med_type`).
OUTPATIENT = "11"
CERTIFICATE_VISIT = "14"
STAY = "21"
PHARMACY_VISIT = "41"
VISIT_TYPES = (OUTPATIENT, CERTIFICATE_VISIT, STAY, PHARMACY_VISIT)

#: What was shown at the counter (`mdtrt_cert_type`).
E_VOUCHER = "01"
IDENTITY_CARD = "02"
INSURANCE_CARD = "03"
CREDENTIAL_TYPES = (E_VOUCHER, IDENTITY_CARD, INSURANCE_CARD)

#: Parts of a subject in a case (`role`), and in a ring.
CARD_HOLDER = "card_holder"
COLLECTOR = "collector"
DISPENSER = "dispenser"
DEALER = "dealer"
SELLER = "seller"
ORGANISER = "organiser"
PHARMACY = "pharmacy"
DOCTOR = "doctor"
VICTIM = "victim"
ROLES = (
    *(CARD_HOLDER, COLLECTOR, DISPENSER, DEALER, SELLER, ORGANISER),
    *(PHARMACY, DOCTOR, VICTIM),
)
#: Of a subject of a case that took no part in it.
NO_ROLE = "none"

#: How a case ended (`outcome`).
CRIMINAL = "criminal"
ADMINISTRATIVE = "administrative"
CLEARED = "cleared"
WITHDRAWN = "withdrawn"
NO_FINDING = "no_finding"
OUTCOMES = (CRIMINAL, ADMINISTRATIVE, CLEARED, WITHDRAWN, NO_FINDING)
