"""Provinces by several generators, of which one is left out at a time to judge what was learned from the others."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar


class Made(Protocol):
    """A province of which it is known who made it."""

    @property
    def generator(self) -> str:
        """Provinces of one generator are left out together."""


Province = TypeVar("Province", bound=Made)


def leaving_one_out(
    provinces: Sequence[Province],
) -> Iterator[tuple[list[Province], list[Province]]]:
    """For each generator, in the order of their names: the provinces of the others, and its own."""
    for generator in sorted({each.generator for each in provinces}):
        others = [each for each in provinces if each.generator != generator]
        yield others, [each for each in provinces if each.generator == generator]
