"""What people say who report something: free text in Chinese or English, without names."""

from functools import cache

import numpy as np

from jobs.province.arrays.draws import Flags, Ints
from jobs.province.arrays.resources import resource_rows
from jobs.province.care.catalogue import CATALOGUE
from jobs.province.gangs.at_work import is_common
from jobs.province.inquiry.cases import Texts

#: how often people know the drug's or the institution's name, and say so in a field of its own
_EXACT, _NAMED, _IN_FIELD = 0.6, 0.7, 0.8
_SHORT_BRAND = 6


def clue_texts(
    rng: np.random.Generator,
    drug: Ints,
    place: Texts,
    is_place: Flags,
    malicious: Flags,
    english: float,
) -> tuple[Texts, Texts, Texts]:
    """Text, drug text and place text of each clue; what people remember of drug and place is vague.

    Args:
        rng: where chance comes from.
        drug: index into the catalogue, -1 where none is thought of.
        place: name of the institution, empty where none is thought of.
        is_place: clues about an institution.
        malicious: clues made up about somebody.
        english: share of clues in English.
    """
    texts, drugs, places = [], [], []
    for number in range(len(drug)):
        exact, named = rng.random() < _EXACT, rng.random() < _NAMED
        word = _drug_word(int(drug[number])) if exact and drug[number] >= 0 else ""
        word = word or str(rng.choice(_sentences("drug", "zh")))
        spot = str(place[number]) if named and place[number] else ""
        spot = spot or str(rng.choice(_sentences("spot", "zh")))
        about = "malice" if malicious[number] else "place" if is_place[number] else "person"
        choice = _sentences(about, "en" if rng.random() < english else "zh")
        sentence = choice[int(rng.integers(len(choice)))]
        texts.append(sentence.format(drug=word, place=spot))
        drugs.append(word if "{drug}" in sentence and rng.random() < _IN_FIELD else "")
        places.append(spot if "{place}" in sentence and rng.random() < _IN_FIELD else "")
    return np.array(texts, np.str_), np.array(drugs, np.str_), np.array(places, np.str_)


@cache
def _sentences(about: str, language: str) -> tuple[str, ...]:
    rows = resource_rows("clue_texts.csv")
    return tuple(
        row["text"] for row in rows if row["about"] == about and row["language"] == language
    )


def _drug_word(drug: int) -> str:
    """The name as people say it: the brand in brackets, or the name without strength and pack."""
    name = str(CATALOGUE.name[drug]).split(" ")[0]
    plain, _, brand = name.partition("(")
    brand = brand.rstrip(")")
    return brand if brand and (is_common(brand) or len(brand) < _SHORT_BRAND) else plain
