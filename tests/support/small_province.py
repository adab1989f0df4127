"""A province of three hundred ordinary people, a few villains and a few who only look like them.

Everything about the villains is written by hand, so that what is to be said of each can be argued.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta

from support.workspace import LandingFolder

AS_OF = date(2025, 10, 1)
BATCH, LATER_BATCH = "2025-09-30", "2025-10-31"
LATER = "2025-10-15 00:00:00"
#: So many share the ground: the hundredth part of them, three, may stand out in any one thing.
ORDINARY = 300
_FOUNDED = "2024-12-31 00:00:00"


class Landing:
    """Landing rows by table."""

    def __init__(self):
        self.rows = defaultdict(list)
        self.arrived = None

    def add(self, table, day=None, **columns):
        arrived = self.arrived or (f"{day + timedelta(days=1)} 02:00:00" if day else _FOUNDED)
        self.rows[table].append({"arrive_time": arrived} | columns)

    def person(self, name, **more):
        known = {"gend": "1", "brdy": "1960-05-05", "insuplc_admdvs": "330101"}
        self.add("person", psn_no=name, **known, home_lat="30.0", home_lon="120.0", **more)

    def visit(self, who, when, place, *fees, **more):
        """A visit on a day and hour, with fees of (drug or kind, boxes, yuan); half is reimbursed."""
        time = datetime.fromisoformat(when)
        setl_id = more.pop("setl_id", f"{who} {when[:10]} {place}")
        yuan = sum(fee[2] for fee in fees)
        self.add(
            "settlement",
            time.date(),
            **{
                "setl_id": setl_id,
                "mdtrt_id": f"v {setl_id}",
                "psn_no": who,
                "fixmedins_code": place,
                "setl_time": str(time),
                "med_type": "41" if place == "h2" else "11",
                "dise_codg": "I10",
                "mdtrt_cert_type": "03",
                "medfee_sumamt": f"{yuan:.2f}",
                "fund_pay_sumamt": f"{yuan / 2:.2f}",
            }
            | more,
        )
        for line, (what, boxes, amount) in enumerate(fees):
            is_drug = what.startswith("d")
            self.add(
                "fee_detail",
                time.date(),
                setl_id=setl_id,
                feedetl_sn=str(line),
                psn_no=who,
                fee_ocur_time=str(time),
                med_list_codg=what if is_drug else "",
                item_type="drug" if is_drug else what,
                bilg_dr_codg=f"dr {place}",
                cnt=str(boxes),
                det_item_fee_sumamt=f"{amount:.2f}",
            )
        return setl_id

    def refund(self, who, when, place, original, drug, yuan):
        self.visit(
            who,
            when,
            place,
            (drug, -1, -yuan),
            setl_id=f"refund {original}",
            refd_setl_flag="1",
            orig_setl_id=original,
        )

    def scan(self, code, when, place, kind="sale", setl_id="", who=""):
        self.add(
            "trace_scan",
            datetime.fromisoformat(when).date(),
            scan_id=f"{code} {when} {kind}",
            drug_trac_codg=code,
            scan_type=kind,
            scan_time=when,
            fixmedins_code=place,
            med_list_codg="d2",
            setl_id=setl_id,
            psn_no=who,
        )

    def proxy(self, setl_id, day, proxy):
        self.add("proxy_pickup", day, setl_id=setl_id, agnter_cert_hash=proxy)

    def certificate(self, who):
        self.add("special_cert", psn_no=who, opsp_dise_code="c1", begndate="2025-03-01")

    def write(self, folder: LandingFolder, batch):
        for table, rows in self.rows.items():
            names = dict.fromkeys(name for row in rows for name in row)
            folder.csv(table, batch, [dict.fromkeys(names, "") | row for row in rows])


def write_province(folder: LandingFolder) -> None:
    """The batch that has arrived by `AS_OF`."""
    landing = Landing()
    _places_and_drugs(landing)
    _ordinary(landing)
    _villains(landing)
    _innocents(landing)
    landing.write(folder, BATCH)


def _places_and_drugs(landing):
    for place, kind, latitude in (
        ("h1", "hospital", "30.0"),
        ("h2", "pharmacy", "30.01"),
        ("h3", "hospital", "30.02"),
        # 333 km from the others.
        ("h9", "hospital", "33.0"),
    ):
        landing.add(
            "institution",
            fixmedins_code=place,
            inst_type=kind,
            admdvs="330101",
            lat=latitude,
            lon="120.0",
        )
    for drug, days, indications in (("d1", "10", "I10"), ("d2", "3", ""), ("d3", "10", "E11")):
        landing.add(
            "drug",
            med_list_codg=drug,
            ingredient=f"of {drug}",
            category="chemical",
            days_per_box=days,
            chronic=str(drug == "d1").lower(),
            indications=indications,
        )
    landing.add("special_disease", opsp_dise_code="c1", indications="I10")


def _ordinary(landing):
    """A box for ten days in February and in August."""
    for n in range(ORDINARY):
        name = f"n{n:03d}"
        landing.person(name)
        for month in ("02", "08"):
            landing.visit(
                name, f"2025-{month}-{1 + n % 28:02d} 08:{n % 60:02d}", "h1", ("d1", 1, 40)
            )


def _villains(landing):
    # Thirty days' supply from each of two places every fifteen days, for four months.
    landing.person("over")
    for n in range(9):
        day = date(2025, 5, 1) + timedelta(days=15 * n)
        landing.visit("over", f"{day} 09:00", "h1", ("d1", 3, 1200))
        landing.visit("over", f"{day + timedelta(days=3)} 09:00", "h2", ("d1", 3, 1200))

    landing.person("dead", death_date="2025-08-10")
    landing.visit("dead", "2025-08-20 09:00", "h1", ("d2", 1, 20))

    landing.person("clash")
    landing.visit(
        "clash",
        "2025-07-20 09:00",
        "h3",
        ("treatment", 1, 900),
        med_type="21",
        begntime="2025-07-01 08:00:00",
        endtime="2025-07-20 08:00:00",
    )
    for number in ("05", "10"):
        landing.visit("clash", f"2025-07-{number} 09:00", "h1", ("d2", 1, 20))

    # Two boxes that the pharmacy sells again to others, without having received them.
    landing.person("resold")
    first = landing.visit("resold", "2025-06-01 09:00", "h1", ("d2", 2, 40))
    for number in ("1", "2"):
        landing.scan(f"t{number}", "2025-05-20 09:00:00", "h1", "inbound")
        landing.scan(f"t{number}", "2025-06-01 09:00:00", "h1", "sale", first, "resold")
        buyer = f"n00{number}"
        again = landing.visit(buyer, "2025-08-30 09:00", "h2", ("d2", 1, 20))
        landing.scan(f"t{number}", "2025-08-30 09:00:00", "h2", "sale", again, buyer)

    landing.person("proxies")
    for month in (7, 8, 9):
        visit = landing.visit("proxies", f"2025-0{month}-10 09:00", "h1", ("d2", 1, 20))
        landing.proxy(visit, date(2025, month, 10), f"proxy {month}")

    landing.person("traveller")
    landing.visit("traveller", "2025-09-01 09:00", "h1", ("d2", 1, 20))
    landing.visit("traveller", "2025-09-01 10:00", "h9", ("d2", 1, 20))

    for n in range(4):
        landing.person(f"phone{n}")
        shown = {"mdtrt_cert_type": "01", "device_hash": "one phone"}
        landing.visit(f"phone{n}", f"2025-09-0{n + 2} 09:00", "h1", ("d2", 1, 20), **shown)

    # More than half of what goes over the certificate is for another disease than the certified one.
    landing.person("certified")
    landing.certificate("certified")
    landing.visit(
        "certified", "2025-08-05 09:00", "h1", ("d3", 1, 1200), ("d1", 1, 1000), med_type="14"
    )


def _innocents(landing):
    for name in ("holder0", "holder1"):
        landing.person(name)
        landing.certificate(name)
        landing.visit(name, "2025-08-05 09:00", "h1", ("d1", 1, 40), med_type="14")

    # Treated for kidney failure once a week, and once for something that no diagnosis tells of.
    landing.person("dialysis")
    for n in range(26):
        day = date(2025, 4, 5) + timedelta(days=7 * n)
        fees = (("treatment", 1, 300), ("d2", 1, 20))
        other = (("d3", 1, 700),) if n == 0 else ()
        landing.visit("dialysis", f"{day} 09:00", "h1", *fees, *other, dise_codg="N18")

    # Three months' supply from one place a month too early each time.
    landing.person("long")
    for month in (2, 4, 6, 8):
        landing.visit("long", f"2025-0{month}-01 09:00", "h1", ("d1", 9, 360))

    # A slip: settled on a dead man's card, and undone.
    landing.person("undone", death_date="2025-08-10")
    slip = landing.visit("undone", "2025-08-20 09:00", "h1", ("d2", 1, 20))
    landing.refund("undone", "2025-08-25 09:00", "h1", slip, "d2", 20)


def write_later_rows(folder: LandingFolder) -> None:
    """What arrives after `AS_OF` and would change nearly every row as of it, had it been known."""
    landing = Landing()
    landing.arrived = LATER
    landing.refund("dead", "2025-09-28 09:00", "h1", "dead 2025-08-20 h1", "d2", 20)
    landing.visit("over", "2025-05-01 09:00", "h1", ("d1", 1, 1))
    landing.visit("traveller", "2025-09-02 11:00", "h1", ("d1", 30, 9000))
    landing.person("n005", death_date="2025-08-01")
    landing.person("traveller", paused_from="2025-01-01")
    for number in range(3):
        landing.proxy("n010 2025-08-11 h1", None, f"proxy {number}")
    landing.certificate("n011")
    landing.scan("t1", "2025-07-01 09:00:00", "h1", "return", "resold 2025-06-01 h1", "resold")
    landing.add("drug", med_list_codg="d1", ingredient="of d1", days_per_box="1")
    landing.write(folder, LATER_BATCH)
