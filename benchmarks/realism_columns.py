"""The columns of the real table, computed from landing tables; and why some cannot be."""

from datetime import date

import numpy as np
import pandas as pd

#: Applicable columns; `person_columns` has one each.
APPLICABLE = (
    "days_visiting_two_hospitals",
    "months_of_visits",
    "max_days_visited_per_month",
    "avg_days_visited_per_month",
    "total_visits_count",
    "max_visits_per_month",
    "avg_visits_per_month",
    "max_medicine_amount_per_month",
    "avg_medicine_amount_per_month",
    "hospital_max_days_visited",
    "hospital_avg_days_visited",
    "hospital_max_coordinated_fund",
    "hospital_max_medicine",
    "hospital_avg_medicine",
    "hospital_code_nn",
    "sequence_number_nn",
    "transaction_time_yyyy_nn",
    "transaction_time_yyyymm_nn",
    "total_days_of_hospitalization_sum",
    "personal_account_balance_sum",
    "coordinated_payment_sum",
    "all_sum",
    "medicine_cost_sum",
    "tcm_drug_cost_sum",
    "herbal_medicine_cost_sum",
    "examination_fee_sum",
    "claimed_examination_fee_sum",
    "claimed_treatment_fee_sum",
    "high_cost_medical_materials_sum",
    "other_costs_sum",
    "basic_personal_account_payment_sum",
    "non_account_payment_sum",
    "proportion_of_medicine_in_total_amount",
    "proportion_of_treatment_costs_in_total_amount",
)
#: Of these, what says nothing: true of everyone compared, or the same as another column.
GIVEN = (
    "total_days_of_hospitalization_sum",
    "transaction_time_yyyy_nn",
    "transaction_time_yyyymm_nn",
    "claimed_examination_fee_sum",
)
#: Yuan a piece from which material is taken to be a dear one (an assumption: no limit is published).
_DEAR_MATERIAL = 50.0
_SPLIT = "the landing contract has no own share or eligible share of a fee line"
_AID = "the landing contract gives what the fund pays as one sum, without aid and subsidies apart"
NOT_APPLICABLE = {
    "self_paid_medicine_cost_sum": _SPLIT,
    "self_paid_examination_fee_sum": _SPLIT,
    "self_paid_treatment_fee_sum": _SPLIT,
    "self_paid_surgery_fee_sum": _SPLIT,
    "individual_payment_proportion_for_checkups": _SPLIT,
    "current_approval_amount_sum": _SPLIT,
    "expensive_medicine_cost_sum": "which drugs count as expensive is not published",
    "expensive_examination_fee": "which examinations count as expensive is not published",
    "surgery_fee_sum": "operations are treatment in the landing contract, not a kind of their own",
    "claimed_surgery_fee_sum": "operations are treatment in the landing contract",
    "bed_fee_sum": "bed fees are among other fees in the landing contract",
    "bed_fee_claimed_sum": "bed fees are among other fees in the landing contract",
    "component_transfusion_claimed_sum": "blood products are not a kind of fee in the landing contract",
    "deductible_standard_amount_max": "the landing contract has no deductible",
    "amount_above_coverage_limit_sum": "the landing contract has no amount above a limit",
    "basic_coordinated_fund_payment_sum": _AID,
    "urban_rural_assistance_subsidy_sum": _AID,
    "subsidy_approval_amount_sum": _AID,
    "disability_veterans_subsidy_sum": _AID,
    "urban_rural_welfare_subsidy_sum": _AID,
    "bz_military_civilian_assistance": _AID,
    "bz_rural_and_urban_welfare": _AID,
    "discharge_diagnosis_length_max": "length of a text; landing tables hold codes",
    "reserved_field": "the label itself",
}
_TCM = ("tcm_patent", "tcm_injection")


def person_columns(tables: dict[str, pd.DataFrame], first: date, after: date) -> pd.DataFrame:
    """One row per comparable person, the columns those of the real table.

    Visits are settlements that are no refunds; amounts are net of refunds.
    """
    settlements = tables["settlement"].assign(
        amount=lambda rows: rows["medfee_sumamt"].astype(float),
        fund=lambda rows: rows["fund_pay_sumamt"].astype(float),
        account=lambda rows: rows["acct_pay"].astype(float),
        cash=lambda rows: rows["psn_cash_pay"].astype(float),
    )
    kept = _comparable(tables, settlements, first, after)
    settlements = settlements[settlements["psn_no"].isin(kept)]
    lines = _typed_lines(tables, settlements)
    visits = settlements[settlements["refd_setl_flag"].astype(str) == "0"].assign(
        day=lambda rows: rows["setl_time"].dt.normalize(),
        month=lambda rows: rows["setl_time"].dt.to_period("M"),
    )
    visits["psn_no"] = visits["psn_no"].astype(str)
    visits["fixmedins_code"] = visits["fixmedins_code"].astype(str)
    return _columns(settlements, visits, lines).reindex(sorted(visits["psn_no"].unique()))


def _comparable(
    tables: dict[str, pd.DataFrame], settlements: pd.DataFrame, first: date, after: date
) -> set[str]:
    certificates = tables["special_cert"]
    whole = (certificates["begndate"] <= first) & (certificates["enddate"] >= after)
    stays = settlements[settlements["med_type"].astype(str) == "21"]["psn_no"].astype(str)
    return set(certificates[whole]["psn_no"]) - set(stays)


def _typed_lines(tables: dict[str, pd.DataFrame], settlements: pd.DataFrame) -> pd.DataFrame:
    """Fee lines with institution, month and kind of cost."""
    lines = tables["fee_detail"]
    lines = lines[lines["psn_no"].isin(set(settlements["psn_no"].astype(str)))]
    lines = lines.astype({"psn_no": str, "setl_id": str, "item_type": str})
    settled = settlements.astype({"setl_id": str, "fixmedins_code": str})
    lines = lines.merge(settled[["setl_id", "fixmedins_code", "setl_time"]], on="setl_id")
    category = tables["drug"].set_index("med_list_codg")["category"].astype(str)
    lines["category"] = lines["med_list_codg"].astype(str).map(category)
    lines["amount"] = lines["det_item_fee_sumamt"].astype(float)
    lines["month"] = lines["setl_time"].dt.to_period("M")
    return lines


def _columns(settlements: pd.DataFrame, visits: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    person = visits.groupby("psn_no")
    monthly = visits.groupby(["psn_no", "month"])
    days = monthly["day"].nunique().groupby("psn_no")
    count = monthly.size().groupby("psn_no")
    places = visits.groupby(["psn_no", "fixmedins_code"])
    place_days = places["day"].nunique().groupby("psn_no")
    on_day = visits.groupby(["psn_no", "day"])["fixmedins_code"].nunique()
    paid = settlements.astype({"psn_no": str}).groupby("psn_no")
    drugs = lines[lines["item_type"] == "drug"]
    drug_months = drugs.groupby(["psn_no", "month"])["amount"].sum().groupby("psn_no")
    drug_places = drugs.groupby(["psn_no", "fixmedins_code"])["amount"].sum().groupby("psn_no")
    by_place = settlements.astype({"psn_no": str, "fixmedins_code": str}).groupby(
        ["psn_no", "fixmedins_code"]
    )
    fund_places = by_place["fund"].sum()

    def of(kind: str) -> pd.Series:
        return lines[lines["item_type"] == kind].groupby("psn_no")["amount"].sum()

    columns = {
        "days_visiting_two_hospitals": (on_day > 1).groupby("psn_no").sum(),
        "months_of_visits": person["month"].nunique(),
        "max_days_visited_per_month": days.max(),
        "avg_days_visited_per_month": days.mean(),
        "total_visits_count": person.size(),
        "max_visits_per_month": count.max(),
        "avg_visits_per_month": count.mean(),
        "max_medicine_amount_per_month": drug_months.max(),
        "avg_medicine_amount_per_month": drug_months.mean(),
        "hospital_max_days_visited": place_days.max(),
        "hospital_avg_days_visited": place_days.mean(),
        "hospital_max_coordinated_fund": fund_places.groupby("psn_no").max(),
        "hospital_max_medicine": drug_places.max(),
        "hospital_avg_medicine": drug_places.mean(),
        "hospital_code_nn": person["fixmedins_code"].nunique(),
        # 顺序号, a running number: 78 in 32 visits, which fits fee lines and nothing else there is.
        "sequence_number_nn": lines[lines["amount"] > 0].groupby("psn_no").size(),
        "transaction_time_yyyy_nn": person["setl_time"].agg(lambda times: times.dt.year.nunique()),
        "transaction_time_yyyymm_nn": person["month"].nunique(),
        "total_days_of_hospitalization_sum": person.size() * 0,
        # Its mean is that of account and cash payment together.
        "personal_account_balance_sum": paid["account"].sum() + paid["cash"].sum(),
        "coordinated_payment_sum": paid["fund"].sum(),
        "all_sum": paid["amount"].sum(),
        "medicine_cost_sum": of("drug"),
        "tcm_drug_cost_sum": drugs[drugs["category"].isin(_TCM)].groupby("psn_no")["amount"].sum(),
        "herbal_medicine_cost_sum": drugs[drugs["category"] == "herb_tonic"]
        .groupby("psn_no")["amount"]
        .sum(),
        "examination_fee_sum": of("exam"),
        "claimed_examination_fee_sum": of("exam"),
        "claimed_treatment_fee_sum": of("treatment"),
        "high_cost_medical_materials_sum": lines[
            (lines["item_type"] == "material") & (lines["pric"].astype(float) >= _DEAR_MATERIAL)
        ]
        .groupby("psn_no")["amount"]
        .sum(),
        "other_costs_sum": of("other"),
        "basic_personal_account_payment_sum": paid["account"].sum(),
        "non_account_payment_sum": paid["cash"].sum(),
    }
    people = pd.DataFrame(columns).fillna(0.0)
    total = people["all_sum"].replace(0, np.nan)
    people["proportion_of_medicine_in_total_amount"] = (people["medicine_cost_sum"] / total).fillna(
        0
    )
    people["proportion_of_treatment_costs_in_total_amount"] = (
        people["claimed_treatment_fee_sum"] / total
    ).fillna(0)
    return people
