"""The truth about the gangs, as tables that nothing but the evaluation reads."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.province.arrays.columns import coded, dates, texts
from jobs.province.arrays.draws import Flags, Floats, Ints
from jobs.province.care.bill_tables import Ids
from jobs.province.gangs.gangs import NO_ROLE, ROLES, TYPOLOGIES, VICTIM, Plan, Province

_TYPOLOGIES, _ROLES = pa.array(TYPOLOGIES), pa.array(ROLES)


def write_gang_truth(root: Path, province: Province, plan: Plan, months: int) -> None:
    """Write truth_person, truth_gang, truth_institution and truth_doctor beside truth_line.

    An account counts as used once truth_line has a line of it, a gang once it has any: who was planned
    and never came to it is not in the truth. Times end with the last month.
    """
    lines = pq.read_table(root / "truth_line.parquet", columns=["psn_no", "gang_id", "fund_loss"])
    for name, rows in gang_truth(province, plan, months, lines).items():
        pq.write_table(rows, root / f"{name}.parquet")


def gang_truth(province: Province, plan: Plan, months: int, lines: pa.Table) -> dict[str, pa.Table]:
    """The truth tables about gangs, by name.

    Args:
        province: people, places and calendar.
        plan: the gangs.
        months: how many months were simulated.
        lines: `psn_no`, `gang_id` and `fund_loss` of the fraudulent fee lines.
    """
    ids = Ids(province.seed)
    after = province.settings.month_days(months - 1)[1]
    start = province.settings.epoch_day
    losses = lines.group_by("gang_id").aggregate([("fund_loss", "sum")])
    loss_of = dict(
        zip(losses["gang_id"].to_pylist(), losses["fund_loss_sum"].to_pylist(), strict=True)
    )
    names = np.char.decode(ids.text(np.arange(len(plan.gangs)), "gang"), "ascii")
    loss = np.array([loss_of.get(name, 0.0) for name in names.tolist()], np.float64)
    acts = np.isin(names, list(loss_of))
    # Someone may be in the lines of several gangs: account and gang are looked up together.
    used = set(zip(lines["psn_no"].to_pylist(), lines["gang_id"].to_pylist(), strict=True))
    accounts = np.char.decode(ids.text(plan.cards.person, "psn_no"), "ascii")
    seen: Flags = np.array(
        [
            key in used
            for key in zip(accounts.tolist(), names[plan.cards.gang].tolist(), strict=True)
        ],
        np.bool_,
    )

    def span(from_day: Ints, to_day: Ints) -> dict[str, pa.Array]:
        # The last day on which it was so, of those that were simulated.
        return {
            "active_from": dates(start, from_day),
            "active_to": dates(start, np.maximum(np.minimum(to_day, after) - 1, from_day)),
        }

    cards = plan.cards.take(seen & (plan.cards.from_day < after))
    members = plan.members.take(acts[plan.members.gang] & (plan.members.from_day < after))
    gang = np.concatenate([cards.gang, members.gang])
    role = np.concatenate([cards.role, members.role])
    persons = {
        "psn_no": texts(ids.text(np.concatenate([cards.person, members.person]), "psn_no")),
        "gang_id": texts(ids.text(gang, "gang")),
        **span(
            np.concatenate([cards.from_day, members.from_day]),
            np.concatenate([cards.to_day, members.to_day]),
        ),
        "typology": coded(plan.gangs.typology[gang], _TYPOLOGIES).cast(pa.string()),
        "role": coded(role, _ROLES).cast(pa.string()),
        "victim": pa.array(role == VICTIM),
    }
    gangs = plan.gangs.take(acts)
    of_gangs = {
        "gang_id": texts(ids.text(np.flatnonzero(acts), "gang")),
        "typology": coded(gangs.typology, _TYPOLOGIES).cast(pa.string()),
        "organiser_psn_no": texts(ids.text(gangs.organiser, "psn_no")),
        **span(gangs.start_day, gangs.end_day),
        "fund_loss": pa.array(_cents(loss[acts])),
        "skill": pa.array(np.round(gangs.skill, 3)),
    }
    colluders = plan.colluders
    guilty = acts[colluders.gang] & (colluders.role != NO_ROLE) & (colluders.from_day < after)
    tables = {"truth_person": pa.table(persons), "truth_gang": pa.table(of_gangs)}
    for name, is_doctor in (("truth_institution", False), ("truth_doctor", True)):
        rows = colluders.take(guilty & ((colluders.doctor >= 0) == is_doctor))
        doctor = (
            {"dr_codg": coded(rows.doctor, texts(province.places.doctor_code)).cast(pa.string())}
            if is_doctor
            else {}
        )
        tables[name] = pa.table(
            {
                **doctor,
                "fixmedins_code": coded(rows.institution, texts(province.places.code)).cast(
                    pa.string()
                ),
                "gang_id": texts(ids.text(rows.gang, "gang")),
                "role": coded(rows.role, _ROLES).cast(pa.string()),
                **span(rows.from_day, rows.to_day),
            }
        )
    return tables


def _cents(yuan: Floats) -> Floats:
    return np.round(yuan, 2)
