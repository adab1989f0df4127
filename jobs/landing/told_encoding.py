"""The text of a file in the encoding that a mapping tells, if its bytes can be in that.

Nearly any bytes can be decoded as nearly anything, so an encoding that is told wrongly gives other letters, and other
hashes of names, without a word.
"""

import codecs
import re

from jobs.landing.entries import NotReadable
from jobs.landing.other_kinds import wide_encoding
from jobs.landing.text_scan import likely_encoding, sample_of_other

_SET = "set the reader option encoding"
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
#: A letter of two bytes of any encoding that has such.
_PAIR = b"\xb0\xa1"
#: Letters that take three bytes or more in UTF-8, as Chinese ones do. So many different ones are not there by chance.
_WIDE = re.compile("[\u0800-\U0010ffff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
_FEWEST = 3
_REPLACED = "\ufffd"
#: Java and Python see a few letters of an encoding differently; of a wrong one far more are none.
_MOST_REPLACED = 0.05
#: Chinese letters in GBK are pairs of bytes without exception; so many words of other letters, or in Big5, are not.
_FEWEST_WORDS, _ENOUGH_WORDS = 10, 1000
#: Seldom is a Chinese letter in GBK none of the common ones; Latin letters with accents, and most words in Big5, are none.
_FEWEST_OTHERS = 5
_WORDS = re.compile(rb"[\x80-\xff]+")
_COMMON_PAIRS = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe])+")


class UnknownEncoding(Exception):
    """Java may know the encoding that the options name, Python does not."""


class ToldEncoding:
    """Decodes a file block by block: `begin` with the first, then `text` of each, the last of them empty.

    Args:
        name: the encoding, as the reader's options name it.

    Raises:
        UnknownEncoding: when it is not known here.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        try:
            # Python has codecs of other things than text, which this refuses.
            b"a".decode(name, "replace")
            self._codec = codecs.lookup(name).name
            self._is_single = len(_PAIR.decode(name, "replace")) == len(_PAIR)
            self._decoder = codecs.getincrementaldecoder(name)(
                "strict" if self._codec == "utf-8" else "replace"
            )
        except (LookupError, UnicodeError):
            raise UnknownEncoding from None
        self._is_wide = self._codec.startswith(("utf-16", "utf-32"))
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._may_be_utf8 = True
        self._utf8_letters: set[str] = set()
        self._letters = self._replaced = 0
        # Words of letters beyond ASCII, those of common Chinese letters in GBK and others.
        self._common: set[bytes] = set()
        self._others: set[bytes] = set()
        self._word = b""
        # Letters of Big5 are pairs too, of which many end in a plain letter.
        self._is_unlike_gbk = self._is_single or self._codec.startswith("big5")
        self._is_counting = self._is_unlike_gbk or self._codec.startswith("gb")

    def begin(self, block: bytes) -> None:
        """Look at a file's first block, before its text is asked for.

        Raises:
            NotReadable: when its first bytes are not those of the encoding that is told.
        """
        if self._is_wide:
            self._begin_wide(block)
        elif wide := wide_encoding(block):
            raise NotReadable(f"is {wide}: {_SET}")
        elif self._codec != "utf-8" and block.startswith(codecs.BOM_UTF8):
            raise NotReadable(
                f"is not {self._name}, it begins with the mark of UTF-8: {_SET} to UTF-8"
            )

    def text(self, block: bytes, *, is_last: bool = False) -> str:
        """The text of the next block.

        Raises:
            NotReadable: when the bytes are not in the encoding that is told; of some encodings only the last block says.
        """
        if self._codec == "utf-8":
            return self._strictly(block, is_last)
        text = self._decoder.decode(block, is_last)
        if self._is_wide:
            return text
        self._look(block, text, is_last)
        if is_last and (other := self._other()):
            raise NotReadable(f"is not {self._name}, its bytes are {other}: {_SET} to that")
        return text

    def _begin_wide(self, block: bytes) -> None:
        """Take the order of bytes that Java takes, and refuse text in the other order, or of single bytes."""
        if len(block) > len(codecs.BOM_UTF32_BE) and b"\0" not in block:
            raise NotReadable(f"is not {self._name}, none of its bytes is zero: {_SET} to its own")
        order = self._codec
        if order in ("utf-16", "utf-32") and not block.startswith(_MARKS):
            # Without a mark Java reads the high byte first, Python the low one.
            order += "-be"
        make = codecs.getincrementaldecoder(order)
        self._decoder = make("replace")
        text = make("replace").decode(block)
        if text and not any(letter.isascii() for letter in text):
            raise NotReadable(
                f"is not {self._name}, it has no plain letter: {_SET} to the other order of bytes (LE or BE)"
            )

    def _strictly(self, block: bytes, is_last: bool) -> str:
        try:
            return self._decoder.decode(block, is_last)
        except UnicodeDecodeError as error:
            sample = sample_of_other(block) or error.object[error.start :]
            raise NotReadable(
                f"is not UTF-8, its bytes look like {likely_encoding(sample)}: {_SET}"
            ) from None

    def _look(self, block: bytes, text: str, is_last: bool) -> None:
        """Note what speaks for another encoding."""
        if block.isascii() and not self._word and text.isascii():
            return
        self._letters += len(text) - len(text.encode("ascii", "ignore"))
        self._replaced += text.count(_REPLACED)
        if self._may_be_utf8:
            try:
                found = self._utf8.decode(block, is_last)
                letters = _BEYOND_ASCII if self._is_single else _WIDE
                self._utf8_letters.update(letters.findall(found))
            except UnicodeDecodeError:
                self._may_be_utf8 = False
        if self._is_counting:
            self._count(block, is_last)

    def _count(self, block: bytes, is_last: bool) -> None:
        """Take the words of a block, until they say enough."""
        # One may go on in the next block.
        words = _WORDS.findall(self._word + block)
        self._word = words.pop() if words and block[-1:] > b"\x7f" and not is_last else b""
        for word in set(words):
            (self._common if _COMMON_PAIRS.fullmatch(word) else self._others).add(word)
        is_settled = self._is_unlike_gbk and self._others
        self._is_counting = not is_settled and len(self._common) < _ENOUGH_WORDS

    def _other(self) -> str:
        """The encoding that the bytes are in instead; empty if they may be in the one that is told."""
        if self._may_be_utf8 and len(self._utf8_letters) >= _FEWEST:
            return "UTF-8"
        common, others = len(self._common), len(self._others)
        if self._is_unlike_gbk and common >= _FEWEST_WORDS and not others:
            return "GB18030 (GBK)"
        if self._codec.startswith("gb") and others >= _FEWEST_OTHERS and others > common:
            return "those of another encoding"
        if self._replaced > max(_FEWEST, _MOST_REPLACED * self._letters):
            return "those of another encoding"
        return ""
