"""What spoils a name, and the signs that stand for it."""

import pyarrow as pa
import pyarrow.compute as pc

from expectations.landing.written_names import SIGNS


def test_each_sign_is_spoilt_by_what_it_stands_for_and_by_nothing_else():
    signs = pa.array(SIGNS.values())
    found = [pc.match_substring_regex(signs, pattern).to_pylist() for pattern in SIGNS]
    assert found == [[sign == other for sign in SIGNS] for other in SIGNS]
