"""A small, clean landing folder of several tables and months, in all formats."""

import json
from decimal import Decimal

import pyarrow as pa

from expectations.tables import LANDING_BY_NAME
from jobs.province.landing.files import sums, write_table

DAYS = tuple(f"2025-{month:02d}-28" for month in range(1, 8))
_FORMATS = {"fee_detail": "parquet", "trace_scan": "csv.gz"}
_PARTS = {"fee_detail": 2}
_TYPES = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us"),
    "boolean": pa.bool_(),
    "decimal(16,2)": pa.decimal128(16, 2),
    "decimal(16,4)": pa.decimal128(16, 4),
    "decimal(16,6)": pa.decimal128(16, 6),
    "decimal(6,2)": pa.decimal128(6, 2),
}


def _write(root, table, day, rows):
    contract = LANDING_BY_NAME[table]
    ending = _FORMATS.get(table, "csv")
    columns = {name: pa.array([row.get(name) for row in rows]) for name in rows[0]}
    whole = pa.table(columns)
    if ending == "parquet":
        types = {field.name: _TYPES[field.type] for field in contract.fields}
        whole = pa.table({name: whole[name].cast(types[name]) for name in whole.column_names})
    folder = root / table / f"batch={day}"
    folder.mkdir(parents=True)
    files = []
    size = -(-whole.num_rows // _PARTS.get(table, 1))
    for start in range(0, whole.num_rows, size):
        part = whole.slice(start, size)
        name = f"part-{start // size:05d}.{ending}"
        digest = write_table(folder / name, part)
        files.append({"name": name, "rows": part.num_rows, "sha256": digest})
    manifest = {
        "table": table,
        "batch": day,
        "rows": whole.num_rows,
        "control": {name: f"{total:f}" for name, total in sums(whole, contract.amounts).items()},
        "files": files,
    }
    (folder / "_manifest.json").write_text(json.dumps(manifest))


def write_tiny_landing(root, visits=40):
    """Seven months of so many visits each with two fee lines and two scans."""
    people = 40
    arrive = "2024-12-31 00:00:00"
    _write(
        root,
        "person",
        DAYS[0],
        [{"psn_no": f"m{n}", "gend": "1", "arrive_time": arrive} for n in range(people)],
    )
    for day in DAYS:
        tables: dict[str, list[dict[str, object]]] = {
            "settlement": [],
            "fee_detail": [],
            "trace_scan": [],
        }
        for n in range(visits):
            setl_id = f"s{day}-{n}"
            at, arrived = f"{day[:8]}10 1{n % 10}:20:00", f"{day[:8]}11 02:00:00"
            person, place = f"m{n % people}", f"h{n % 5}"
            is_refund = n == visits - 1
            amount = Decimal("12.30") + n
            tables["settlement"].append(
                {
                    "setl_id": setl_id,
                    "mdtrt_id": f"v{setl_id}",
                    "psn_no": person,
                    "fixmedins_code": place,
                    "setl_time": at,
                    "med_type": "11",
                    "medfee_sumamt": str(-amount if is_refund else amount),
                    "fund_pay_sumamt": "0.00",
                    "refd_setl_flag": str(int(is_refund)),
                    "orig_setl_id": f"s{day}-0" if is_refund else None,
                    "arrive_time": arrived,
                }
            )
            for line in (1, 2):
                tables["fee_detail"].append(
                    {
                        "setl_id": setl_id,
                        "feedetl_sn": str(line),
                        "psn_no": person,
                        "fee_ocur_time": at,
                        "med_list_codg": f"d{line}",
                        "item_type": "drug",
                        "bilg_dr_codg": "dr1",
                        "cnt": "1.5",
                        "pric": "4.10",
                        "det_item_fee_sumamt": "6.15",
                        "prd_days": None,
                        "arrive_time": arrived,
                    }
                )
            for way in ("inbound", "sale"):
                is_sale = way == "sale"
                tables["trace_scan"].append(
                    {
                        "scan_id": f"{way}{setl_id}",
                        "drug_trac_codg": f"81{setl_id}",
                        "scan_type": way,
                        "scan_time": at,
                        "fixmedins_code": place,
                        "med_list_codg": "d1",
                        "setl_id": setl_id if is_sale else None,
                        "psn_no": person if is_sale else None,
                        "split_pack": "false",
                        "arrive_time": arrived,
                    }
                )
        for name, rows in tables.items():
            _write(root, name, day, rows)


def rows_by_table(root):
    """How many rows each table's manifests announce."""
    found: dict[str, int] = {}
    for path in root.glob("*/batch=*/_manifest.json"):
        told = json.loads(path.read_text())
        found[told["table"]] = found.get(told["table"], 0) + told["rows"]
    return found
