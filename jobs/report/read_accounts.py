"""The list of accounts as of a date, read for the page: a bounded number of rows."""

from datetime import date
from decimal import Decimal

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from expectations.feature.member import MEMBER_FEATURES
from expectations.feature.resemblance import RESEMBLANCE_INPUTS
from expectations.gold.account import (
    HIGH_RISK_ACCOUNT,
    INDICATOR,
    MEMBER_FEATURE,
    RESEMBLANCE_FAMILY,
)
from expectations.gold.member_score import AUDIT_DRAW
from expectations.gold.resemblance import MEMBER_RESEMBLANCE
from jobs.lake.tables import Lake
from jobs.report.account import Account, Accounts, AuditDraw, Flagged, HeldBack, Pattern, Sign
from jobs.report.read_timelines import timelines
from jobs.rules.rulebook import rulebook
from jobs.rules.typologies import Typologies
from jobs.runtime.config import Config
from models.input_sentences import sentence

#: What a page has room for.
MAX_FLAGGED = 15

_UNITS = {feature.name: feature.unit for feature in MEMBER_FEATURES}
_HABITS = {each.name: each for each in RESEMBLANCE_INPUTS}


def accounts(lake: Lake, config: Config, day: date) -> Accounts | None:
    """The list, the indicators held back, and the first accounts' timelines; None without a list."""
    capacity, shown = config.detect.capacity, config.report.top
    if not lake.exists(HIGH_RISK_ACCOUNT):
        return None
    listed = lake.of_day(HIGH_RISK_ACCOUNT, day)
    shortened = listed.filter(F.col("rank") <= max(capacity, shown))
    first = _with_habits(lake, shortened, day).orderBy("rank").collect()
    if not first:
        return Accounts(0, capacity, shown)
    rules = rulebook(config)
    language = config.report.language
    signs = lake.of_day(INDICATOR, day)
    listed_total, patterns = _patterns(listed)
    counts = _sign_counts(signs)
    held_back, spared = _held_back(counts, rules, language)
    is_looked_at = lake.exists(MEMBER_FEATURE)
    drawn = [row["member_id"] for row in first[: config.report.timeline_accounts]]
    return Accounts(
        listed=listed_total,
        capacity=capacity,
        shown=shown,
        looked_at=lake.of_day(MEMBER_FEATURE, day).count() if is_looked_at else None,
        week_loss=sum(
            (row["expected_loss_amount"] for row in first if row["is_within_capacity"]), Decimal(0)
        ),
        first=tuple(_account(row, rules, language) for row in first),
        patterns=patterns,
        held_back=held_back,
        spared=spared,
        flagged=_flagged(signs, rules, language),
        flagged_total=sum(row["counting"] for row in counts if row["subject_type"] != "member"),
        timelines=timelines(lake, drawn, day),
        audit=_audit(lake, listed, day, rules, language),
        model_version=first[0]["model_version"],
    )


def _audit(
    lake: Lake, listed: DataFrame, day: date, rules: Typologies, language: str
) -> tuple[AuditDraw, ...]:
    """The accounts drawn at random, those of the list first; none if no draw was made."""
    if not lake.exists(AUDIT_DRAW):
        return ()
    draws = lake.of_day(AUDIT_DRAW, day)
    on_list = listed.join(draws.select("member_id"), on="member_id", how="left_semi")
    rows = {
        row["member_id"]: _account(row, rules, language)
        for row in _with_habits(lake, on_list, day).collect()
    }
    order = (F.asc_nulls_last("rank"), F.asc("member_id"))
    return tuple(
        AuditDraw(row["member_id"], row["propensity"], rows.get(row["member_id"]))
        for row in draws.orderBy(*order).collect()
    )


def _with_habits(lake: Lake, listed: DataFrame, day: date) -> DataFrame:
    """Add `habits`, what an account's resemblance rests on most; null where nothing is known of it."""
    found = lake.of_day_if_exists(MEMBER_RESEMBLANCE, day)
    habits = found.select("member_id", F.col("reasons").alias("habits"))
    return listed.join(habits, on="member_id", how="left")


def _account(row: Row, rules: Typologies, language: str) -> Account:
    """An account of the list in the report's language, which may differ from the proposal's."""
    habits = "; ".join(_habit(each, language) for each in row["habits"] or ())
    signs = tuple(_sign(each, habits, rules, language) for each in row["reasons"])
    check = rules.checks.get(signs[0].code)
    return Account(
        rank=row["rank"],
        account=row["member_id"],
        points=row["points"],
        expected_loss=row["expected_loss_amount"],
        signs=signs,
        next_check=check[language] if check else row["next_check"],
        state=row["state"],
        expires_on=row["expires_on"],
        is_within_capacity=row["is_within_capacity"],
        ring=row["ring_id"],
        ranked_by=row["ranked_by"] or "rules",
    )


def _habit(found: Row, language: str) -> str:
    """A habit in the reader's language. If it is no longer looked at, it keeps its stored sentence."""
    known = _HABITS.get(found["input"])
    return sentence(known, found["value"], language) if known else str(found["text"])


def _sign(reason: Row, habits: str, rules: Typologies, language: str) -> Sign:
    """A reason in the reader's language. If its rule no longer exists, it keeps its stored sentence.

    One about resemblance says the habits, too.
    """
    code, held_back = reason["reason_code"], reason["held_back_by"]
    by_code = {rule.code: rule for rule in rules.rules["member"]}
    rule, words = by_code.get(code), rules.texts.get(code)
    text = words[language].format(value=reason["value"]) if words else reason["text"]
    if habits and rule is not None and rule.family == RESEMBLANCE_FAMILY:
        text = f"{text}: {habits}"
    explained = rules.texts.get(held_back or "", {}).get(language, held_back or "")
    return Sign(
        code=code,
        typology=reason["typology"],
        text=text,
        usual=reason["peer_median"],
        unit=_UNITS.get(rule.feature if rule else "", ""),
        held_back=explained,
    )


def _patterns(listed: DataFrame) -> tuple[int, tuple[Pattern, ...]]:
    """The length of the list, and the number of accounts with each pattern, the most common first."""
    # An empty pattern beside each account's own counts the accounts in the same query.
    each = F.explode(F.array_union(F.array(F.lit("")), "typologies")).alias("typology")
    counted = (
        listed.select(each, "is_within_capacity")
        .groupBy("typology")
        .agg(F.count("*").alias("accounts"), F.count_if("is_within_capacity").alias("of_week"))
    )
    found = {row["typology"]: Pattern(*row) for row in counted.collect()}
    total = found.pop("").accounts
    return total, tuple(sorted(found.values(), key=lambda one: (-one.accounts, one.typology)))


def _sign_counts(signs: DataFrame) -> list[Row]:
    """The number of subjects by explanations, by whether these hold back everything, and by indicators that count."""
    by_subject = signs.groupBy("subject_type", "subject_id").agg(
        F.sort_array(F.collect_set("held_back_by")).alias("explained"),
        F.count_if(F.col("held_back_by").isNull()).alias("counting"),
    )
    return (
        by_subject.groupBy("subject_type", "explained", (F.col("counting") == 0).alias("is_spared"))
        .agg(F.count("*").alias("subjects"), F.sum("counting").alias("counting"))
        .collect()
    )


def _held_back(
    counts: list[Row], rules: Typologies, language: str
) -> tuple[tuple[HeldBack, ...], int]:
    """The explanations with their numbers of accounts, and the number of accounts spared by each."""
    rows = [row for row in counts if row["subject_type"] == "member"]
    accounts: dict[str, int] = {}
    spared: dict[str, int] = {}
    for row in rows:
        for code in row["explained"]:
            accounts[code] = accounts.get(code, 0) + row["subjects"]
            spared[code] = spared.get(code, 0) + row["subjects"] * row["is_spared"]
    found = tuple(
        HeldBack(rules.texts.get(code, {}).get(language, code), accounts[code], spared[code])
        for code in sorted(accounts, key=lambda each: (-accounts[each], each))
    )
    return found, sum(row["subjects"] for row in rows if row["is_spared"])


def _flagged(signs: DataFrame, rules: Typologies, language: str) -> tuple[Flagged, ...]:
    """The strongest indicators of institutions and doctors."""
    others = signs.filter((F.col("subject_type") != "member") & F.col("held_back_by").isNull())
    order = (F.desc("points"), F.desc("subject_type"), F.asc("subject_id"), F.asc("reason_code"))
    found = []
    for row in others.orderBy(*order).limit(MAX_FLAGGED).collect():
        code = row["reason_code"]
        text = rules.texts.get(code, {}).get(language, code)
        found.append(
            Flagged(
                subject=row["subject_type"],
                name=row["subject_id"],
                typology=row["typology"],
                text=text.format(value=row["value"]),
                check=rules.checks.get(code, {}).get(language, ""),
            )
        )
    return tuple(found)
