"""How a ring works, in sentences made from its findings."""

from expectations.landing.codes import ORGANISER, VICTIM
from jobs.report.ring import Finding, Ring
from jobs.report.strings import Words
from jobs.report.words import N_

_NAMED_DRUGS = 3

#: A finding by its numbers; `subject` is the first of those that it is about.
_FINDINGS = {
    "shared_credentials": N_(
        "One person or phone carries %(accounts)s of the %(all)s accounts: %(subject)s."
    ),
    "one_counter": N_(
        "One operator serves %(accounts)s of the %(all)s accounts more often than not: %(subject)s."
    ),
    "many_places": N_("At least half of the accounts use the same %(value)s institutions."),
    "family": N_("%(accounts)s of the %(all)s accounts have family in the ring."),
    "role_split": N_(
        "The roles are split: %(subject)s comes for %(accounts)s accounts, and none of their holders comes"
        " for %(subject)s."
    ),
    "linked_kin": N_(
        "Relatives who come along with members: %(value)s. They are listed as kin, which is no evidence"
        " against them."
    ),
}
_ROTATION = N_(
    "The cards are used in turn: %(value)s times two of them got drugs that are resold in the same month;"
    " chance would give %(expected)s."
)
#: The order in which a reader wants to know.
_ORDER = (
    *("shared_credentials", "role_split", "one_counter", "many_places"),
    *("rotation", "family", "linked_kin"),
)


def how_it_works(ring: Ring, words: Words) -> str:
    """One paragraph: who, when, how, which drugs, what it cost, and who heads it."""
    sentences = [_first(ring, words)]
    split = ring.finding("role_split")
    for code in _ORDER:
        found = ring.finding(code)
        # Split roles say of the same person that nobody carries him or her in turn, too.
        is_said = (
            code == "shared_credentials"
            and split
            and found
            and split.subjects[:1] == found.subjects[:1]
        )
        if found is not None and not is_said:
            sentences.append(finding_sentence(found, ring, words))
    sentences += [*_drugs(ring, words), _loss(ring, words), _head(ring, words)]
    if any(part.role == VICTIM for part in ring.people):
        sentences.append(
            words.text(N_("The holders may be victims: their cards may be kept by staff."))
        )
    between = "" if words.language == "zh" else " "
    return between.join(sentences)


def finding_sentence(finding: Finding, ring: Ring, words: Words) -> str:
    """A finding as a sentence; the code of one that has no words here."""
    if finding.code == "rotation":
        return words.text(
            _ROTATION,
            value=words.number(finding.value),
            expected=words.number(finding.expected, 1),
        )
    if finding.code not in _FINDINGS:
        return finding.code.replace("_", " ")
    return words.text(
        _FINDINGS[finding.code],
        accounts=words.number(finding.accounts),
        all=words.number(ring.accounts),
        value=words.number(finding.value),
        subject=finding.subjects[0] if finding.subjects else "\N{EN DASH}",
    )


def chance_words(finding: Finding, words: Words) -> str:
    """How often chance gives as much; a dash where there is no such number."""
    if finding.significance is None:
        return "\N{EN DASH}"
    times = 10 ** min(finding.significance, 9.0)
    return words.text(N_("1 in %(times)s"), times=words.number(round(times)))


def _first(ring: Ring, words: Words) -> str:
    values = {
        "accounts": words.number(ring.accounts),
        "links": words.number(ring.links),
        "pairs": words.number(ring.pairs),
    }
    if ring.first_day is None or ring.last_day is None:
        return words.text(
            N_(
                "%(accounts)s insured accounts do things together that chance does not explain:"
                " %(links)s of their %(pairs)s pairs are linked."
            ),
            **values,
        )
    return words.text(
        N_(
            "From %(first)s to %(last)s %(accounts)s insured accounts did things together that chance does"
            " not explain: %(links)s of their %(pairs)s pairs are linked."
        ),
        first=words.day(ring.first_day),
        last=words.day(ring.last_day),
        **values,
    )


def _drugs(ring: Ring, words: Words) -> list[str]:
    if not ring.drugs:
        return []
    comma = "、" if words.language == "zh" else ", "
    named = comma.join(each.name or each.drug for each in ring.drugs[:_NAMED_DRUGS])
    return [
        words.text(
            N_("Since %(since)s they got %(boxes)s boxes of drugs, most of it %(drugs)s."),
            since=words.day(ring.since),
            boxes=words.number(ring.boxes),
            drugs=named,
        )
    ]


def _loss(ring: Ring, words: Words) -> str:
    return words.text(
        N_(
            "What the fund paid in the last 365 days beyond the holders' own use comes to %(loss)s."
        ),
        loss=words.number(ring.expected_loss),
    )


def _head(ring: Ring, words: Words) -> str:
    head = ring.head
    if ring.has_unseen_head or head is None:
        return words.text(
            N_(
                "Who runs it is not seen: nobody in the claims comes for the others, and nobody is named for"
                " standing next to them."
            )
        )
    if head.role == ORGANISER:
        return words.text(
            N_("%(who)s carries most of the ring, as somebody who runs it would."),
            who=head.subject,
        )
    return words.text(
        N_("%(who)s comes for others of the ring; whether anybody stands above is not seen."),
        who=head.subject,
    )
