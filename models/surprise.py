"""How rare a value is among peers, from the quantiles that are kept of them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]

#: Columns of gold.peer_statistic, lowest first, and -log10 of the share of peers with at least such a value.
LEVELS = {"median": 0.301, "upper": 1.0, "high": 2.0, "extreme": 3.0}


def surprises(values: Floats, usual: Floats) -> Floats:
    """-log10 of the share of peers with at least as much, from 0 to 3.

    Exact at the quantiles of `LEVELS`; in between by the logarithm of the value, below the median in
    proportion to it. Nothing, and what is not known, is 0.

    Args:
        values: rows by features.
        usual: rows, or one for all, by `LEVELS` by features: the quantiles among each row's peers.
    """
    found = np.zeros(values.shape)
    low, level_below = np.zeros(values.shape), 0.0
    for place, level in enumerate(LEVELS.values()):
        high = usual[:, place]
        with np.errstate(divide="ignore", invalid="ignore"):
            way = np.log(values / low) / np.log(high / low) if level_below else values / high
        # Where both quantiles are alike nothing lies between them.
        between = level_below + (level - level_below) * np.where(np.isfinite(way), way, 0.0)
        found = np.where((values > low) & (values < high), between, found)
        found = np.where((values >= high) & (values > 0), level, found)
        low, level_below = high, level
    return found


def surprises_among_peers(values: Floats, groups: pa.Array, usual: Mapping[str, Floats]) -> Floats:
    """`surprises` of accounts of several groups of peers; in a group that is not known everything is rare.

    Args:
        values: accounts by features; what is not known is taken as 0.
        groups: of each account, as text.
        usual: from `usual_values`, with the same features.
    """
    encoded = groups.dictionary_encode()
    places = encoded.indices.to_numpy(zero_copy_only=False)
    known = np.nan_to_num(values)
    nobody = np.zeros((len(LEVELS), values.shape[1]))
    found = np.zeros(values.shape)
    for place, name in enumerate(encoded.dictionary.to_pylist()):
        mine = places == place
        found[mine] = surprises(known[mine], usual.get(name, nobody)[None])
    return found


def usual_values(
    rows: Sequence[tuple[str, str, tuple[float, ...]]], names: Sequence[str]
) -> dict[str, Floats]:
    """Quantiles by group of peers: `LEVELS` by features.

    Args:
        rows: group, feature, and its quantiles in the order of `LEVELS`.
        names: the features wanted; one that a group has no statistic of is taken as 0 for all peers.
    """
    places = {name: at for at, name in enumerate(names)}
    found: dict[str, Floats] = {}
    for group, feature, quantiles in rows:
        if feature in places:
            held = found.setdefault(group, np.zeros((len(LEVELS), len(names))))
            held[:, places[feature]] = quantiles
    return found
