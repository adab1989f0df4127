"""A simulated province at a glance, to be judged by eye: who, where, how much, month by month.

    python -m benchmarks.province_picture LANDING TRUTH PICTURE.png

Reads the landing files (Parquet) and the truth with DuckDB; no job reads the truth.
"""

import sys
from collections.abc import Sequence

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

_FRAUD, _HONEST = "#b03a2e", "#5b7c99"


def main(landing: str, truth: str, picture: str) -> None:
    """Draw nine panels into one picture."""
    base = duckdb.connect()
    for table in ("person", "institution", "settlement", "fee_detail", "drug", "parcel", "clue"):
        base.execute(
            f"CREATE VIEW {table} AS SELECT * FROM"
            f" read_parquet('{landing}/{table}/*/part-*.parquet', hive_partitioning = false)"
        )
    for table in ("truth_person", "truth_gang", "truth_line", "truth_benign"):
        base.execute(f"CREATE VIEW {table} AS SELECT * FROM '{truth}/{table}.parquet'")
    figure, axes = plt.subplots(3, 3, figsize=(15, 12.5), layout="constrained")
    panels = (
        _ages,
        _places,
        _months,
        _hours,
        _visits_of_a_member,
        _amounts_of_a_member,
        _kinds_of_fees,
        _gangs,
        _look_alikes,
    )
    for draw, ax in zip(panels, axes.flat, strict=True):
        draw(base, ax)
        ax.spines[["top", "right"]].set_visible(False)
    ((people, visits, lines),) = base.sql(
        "SELECT (SELECT count(DISTINCT psn_no) FROM person), (SELECT count(*) FROM settlement),"
        " (SELECT count(*) FROM fee_detail)"
    ).fetchall()
    figure.suptitle(
        f"A simulated province: {people:,} people, {visits:,} settlements, {lines:,} fee lines",
        fontsize=15,
    )
    figure.savefig(picture, dpi=80)


def _ages(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    rows = base.sql(
        "SELECT gend, least(date_diff('year', brdy, DATE '2025-01-01') // 5 * 5, 95) AS age,"
        " count(*) AS people FROM (SELECT DISTINCT psn_no, gend, brdy FROM person) GROUP BY ALL"
    ).df()
    for sex, sign, label, color in (("1", -1, "men", "#5b7c99"), ("2", 1, "women", "#c28f5c")):
        side = rows[rows.gend == sex]
        ax.barh(side.age, sign * side.people, height=4.4, label=label, color=color)
    ax.set(title="Who: age and sex", xlabel="people (men to the left)", ylabel="age")
    ax.legend(frameon=False)


def _places(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    homes = base.sql(
        "SELECT home_lon, home_lat, count(*) AS n FROM person"
        " WHERE home_lon IS NOT NULL AND substr(insuplc_admdvs, 1, 2) ="
        " (SELECT mode(substr(insuplc_admdvs, 1, 2)) FROM person) GROUP BY ALL"
    ).df()
    ax.scatter(homes.home_lon, homes.home_lat, s=3, c="#dddddd", label="homes")
    spots = base.sql(
        "SELECT inst_type, medinslv, lon, lat FROM institution WHERE substr(admdvs, 1, 2) ="
        " (SELECT mode(substr(insuplc_admdvs, 1, 2)) FROM person)"
    ).df()
    for kind, color, size in (
        ("village", "#9dbf9e", 8),
        ("clinic", "#c28f5c", 10),
        ("pharmacy", "#7d5ba6", 10),
        ("hospital", "#b03a2e", 22),
    ):
        some = spots[spots.inst_type == kind]
        ax.scatter(some.lon, some.lat, s=size, c=color, label=f"{kind} ({len(some)})")
    ax.set(title="Where: homes and institutions", xlabel="longitude", ylabel="latitude")
    ax.legend(frameon=False, fontsize=8)


def _months(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    rows = base.sql(
        "SELECT date_trunc('month', setl_time) AS month, med_type, sum(medfee_sumamt)::DOUBLE / 1e6 AS yuan"
        " FROM settlement GROUP BY ALL ORDER BY ALL"
    ).df()
    words = {"11": "outpatient", "14": "chronic, special", "21": "inpatient", "41": "pharmacy"}
    wide = rows.pivot_table(index="month", columns="med_type", values="yuan", aggfunc="sum").fillna(
        0
    )
    bottom = np.zeros(len(wide))
    for code in wide.columns:
        ax.bar(wide.index.strftime("%b"), wide[code], bottom=bottom, label=words[code])
        bottom += wide[code].to_numpy()
    ax.set(title="How much, by month of settlement", ylabel="million yuan")
    ax.set_ylim(top=1.25 * bottom.max())
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")


def _hours(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    for flag, label, color in ((0, "honest", _HONEST), (1, "of gangs", _FRAUD)):
        rows = base.sql(
            "SELECT hour(setl_time) AS hour, count(*) AS n FROM settlement LEFT JOIN"
            " (SELECT DISTINCT setl_id, 1 AS bad FROM truth_line) USING (setl_id)"
            f" WHERE coalesce(bad, 0) = {flag} GROUP BY ALL ORDER BY ALL"
        ).df()
        ax.plot(rows.hour, rows.n / max(rows.n.sum(), 1), label=label, color=color)
    ax.set(title="When: hour of the settlement", xlabel="hour", ylabel="share")
    ax.legend(frameon=False)


def _by_member(base: duckdb.DuckDBPyConnection, measure: str) -> pd.DataFrame:
    """A figure per member with a special-disease certificate's visits or a gang's; `bad` flags the latter."""
    found: pd.DataFrame = base.sql(
        f"SELECT psn_no, {measure} AS value, psn_no IN (SELECT DISTINCT psn_no FROM truth_line) AS bad"
        " FROM settlement WHERE psn_no IN (SELECT psn_no FROM settlement WHERE med_type = '14'"
        " UNION SELECT psn_no FROM truth_line) GROUP BY psn_no"
    ).df()
    return found


def _visits_of_a_member(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    _two_histograms(ax, _by_member(base, "count(*)"), np.geomspace(1, 400, 40).tolist())
    ax.set(title="Visits of a certificate holder, or of a gang's card", xlabel="visits")


def _amounts_of_a_member(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    _two_histograms(
        ax, _by_member(base, "sum(medfee_sumamt)::DOUBLE"), np.geomspace(100, 500_000, 40).tolist()
    )
    ax.set(title="Their amounts over the whole time", xlabel="yuan")


def _two_histograms(ax: Axes, rows: pd.DataFrame, bins: Sequence[float]) -> None:
    for bad, label, color in ((False, "honest", _HONEST), (True, "in fraud", _FRAUD)):
        values = rows.value[rows.bad == bad]
        weights = np.full(len(values), 1 / max(len(values), 1))
        label = f"{label} ({len(values):,})"
        ax.hist(
            values, bins=bins, weights=weights, histtype="step", lw=1.6, label=label, color=color
        )
    ax.set_xscale("log")
    ax.set_ylabel("share")
    ax.legend(frameon=False)


def _kinds_of_fees(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    rows = base.sql(
        "SELECT coalesce(category, item_type) AS kind, sum(det_item_fee_sumamt)::DOUBLE / 1e6 AS yuan"
        " FROM fee_detail LEFT JOIN (SELECT DISTINCT med_list_codg, category FROM drug)"
        " USING (med_list_codg) GROUP BY ALL ORDER BY yuan"
    ).df()
    ax.barh(rows.kind, rows.yuan, color=_HONEST)
    ax.set(title="What for", xlabel="million yuan")


def _gangs(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    rows = base.sql(
        "SELECT typology, count(*) AS gangs, sum(fund_loss)::DOUBLE / 1e6 AS loss,"
        " (SELECT count(DISTINCT p.psn_no) FROM truth_person p WHERE p.typology = g.typology) AS people"
        " FROM truth_gang g GROUP BY typology ORDER BY loss"
    ).df()
    ax.barh(rows.typology, rows.loss, color=_FRAUD)
    for at, row in enumerate(rows.itertuples()):
        ax.text(row.loss, at, f" {row.gangs} gangs, {row.people} people", va="center", fontsize=8)
    ax.set(title="Gangs: the fund's loss", xlabel="million yuan")
    ax.margins(x=0.45)


def _look_alikes(base: duckdb.DuckDBPyConnection, ax: Axes) -> None:
    rows = base.sql(
        "SELECT benign_type AS kind, count(DISTINCT psn_no) AS people FROM truth_benign"
        " GROUP BY ALL ORDER BY people"
    ).df()
    ax.barh(rows.kind, rows.people, color=_HONEST)
    ((guilty,),) = base.sql("SELECT count(DISTINCT psn_no) FROM truth_line").fetchall()
    ax.axvline(guilty, color=_FRAUD, lw=1)
    ax.set(title=f"Honest, look guilty (red: {guilty} in fraud)", xlabel="people")


if __name__ == "__main__":
    main(*sys.argv[1:4])
