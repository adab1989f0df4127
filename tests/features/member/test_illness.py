"""Lists of indications as catalogues write them."""

import pytest

from features.member.illness import listed_codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("I10;I11", ["I10", "I11"]),
        (" i10.x ; E11.9- ;; ", ["I10X", "E119"]),
        ("I10\uff1bI11", ["I10", "I11"]),
        ("I10,I11\uff0cI12\u3001I13|I14/I15\nI16", [f"I1{n}" for n in range(7)]),
        ("I10 I11", ["I10", "I11"]),
        ("I10 - I12", ["I10", "I11", "I12"]),
        ("I10~12", ["I10", "I11", "I12"]),
        ("E10.2\u81f3E11.9\u548cC", ["E10", "E11", "C"]),
        ("A98-B01", ["A98", "A99", "B00", "B01"]),
        ("I12\u2013I11", ["I11", "I12"]),
        ("\u9ad8\u8840\u538b(I10-I11)", ["I10", "I11"]),
        ("E11-001", ["E11001"]),
        ("250.0;401", ["2500", "401"]),
        ("\u9ad8\u8840\u538b", []),
        ("", []),
        (None, []),
    ],
)
def test_a_list_is_taken_apart_however_it_is_joined(text, codes):
    assert listed_codes(text) == codes
