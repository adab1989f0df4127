"""The truth of a simulated province, which nothing but evaluation reads."""

import json
from pathlib import Path

import polars as pl

from expectations.contract.errors import ConfigError, DataRefused
from models.detection import Truth


def require_truth(folder: str | None, *names: str) -> None:
    """Check that `--truth` names a folder with some tables.

    Raises:
        ConfigError: when it is missing, or a table is.
    """
    if folder is None:
        raise ConfigError("--truth FOLDER is missing: give the truth that simulate_province wrote")
    for name in names:
        if not list(Path(folder).glob(f"{name}.*")):
            raise ConfigError(f"--truth {folder}: there is no {name}.parquet or .csv in it")


def read_truth(folder: Path, insured: int, decided: frozenset[str] = frozenset()) -> Truth:
    """The truth tables that detection of accounts is judged by.

    Only accounts that were used count: someone in a gang who never billed cannot be seen in claims. An
    account has the skill of its first gang, where the truth tells skills.

    Args:
        folder: what the simulator wrote apart.
        insured: how many people are insured.
        decided: people in a decided case.
    """
    lines = truth_table(folder, "truth_line", "psn_no", "fund_loss")
    lines = lines.group_by("psn_no").agg(loss=pl.sum("fund_loss"))
    people = truth_table(folder, "truth_person", "psn_no", "gang_id", "active_from", "typology")
    people = people.sort("active_from", "gang_id")
    accounts = (
        lines.join(
            people.group_by("psn_no", maintain_order=True).agg(
                pl.first("typology", "gang_id"), pl.min("active_from")
            ),
            on="psn_no",
            how="left",
        )
        .with_columns(pl.col("typology").fill_null("unknown"))
        .rename({"psn_no": "member_id"})
    )
    accounts = accounts.join(gang_skills(folder), on="gang_id", how="left").select(
        "member_id", "loss", "typology", "active_from", "gang_id", "skill"
    )
    benign = truth_table(folder, "truth_benign", "psn_no", "benign_type").rename(
        {"psn_no": "member_id"}
    )
    return Truth(accounts, benign.select("member_id", "benign_type"), insured, decided)


def gang_skills(folder: Path) -> pl.DataFrame:
    """The skill of each gang; none where the truth does not tell it.

    It stands in truth_gang, or by gang in truth_about.json.
    """
    about = folder / "truth_about.json"
    skills: dict[str, float] = {}
    if about.exists():
        content = json.loads(about.read_text(encoding="utf-8"))
        found = content.get("skill")
        skills = found if isinstance(found, dict) else {}
    gangs = folder / "truth_gang.parquet"
    if not skills and gangs.exists() and "skill" in pl.read_parquet_schema(gangs):
        rows = pl.read_parquet(gangs, columns=["gang_id", "skill"])
        return rows.select(pl.col("gang_id").cast(pl.String), pl.col("skill").cast(pl.Float64))
    return pl.DataFrame(
        {"gang_id": list(skills), "skill": [float(value) for value in skills.values()]},
        schema={"gang_id": pl.String, "skill": pl.Float64},
    )


def truth_table(folder: Path, name: str, *columns: str) -> pl.DataFrame:
    """Some columns of a table of the truth: days as dates, losses as numbers, all others as text.

    An id of figures alone is text all the same.

    Raises:
        DataRefused: when the table or a column is not there.
    """
    path = folder / f"{name}.parquet"
    if not path.exists():
        path = folder / f"{name}.csv"
    try:
        if path.suffix == ".csv":
            frame = pl.read_csv(path, columns=list(columns), infer_schema=False)
        else:
            frame = pl.read_parquet(path, columns=list(columns))
        # Parquet may hold a time, CSV a text; a day is the first ten letters of both.
        return frame.with_columns(pl.col(columns).cast(pl.String)).with_columns(
            pl.col("^active_(from|to)$").str.head(10).str.to_date(),
            pl.col("^fund_loss$").cast(pl.Float64),
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        cause = str(error).splitlines()[0]
        raise DataRefused(f"{path}: {', '.join(columns)} can't be read from it: {cause}") from None
