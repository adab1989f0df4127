"""Groups of linked accounts: communities, whether each stands as a ring, and its id over time."""

import math
import random
from dataclasses import dataclass

import igraph
import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components as scipy_components

from features.chance import binomial_surprise

#: Leiden starts from a random order; the same seed gives the same communities.
_SEED = 20100103
#: Rounds until nothing moves; a community is settled after a few.
_ROUNDS = -1


@dataclass(frozen=True)
class RingRules:
    """When a group of accounts stands as a ring."""

    resolution: float = 0.05
    min_accounts: int = 3
    min_density: float = 0.2
    min_significance: float = 6.0


def components_in_one_task(edges: pl.DataFrame) -> pl.DataFrame:
    """Connected components of a graph that fits one task, one row per vertex.

    Gives what `features.components.connected_components` gives: `component` is the smallest id in it,
    a self-loop makes a component of its own, and a row with a null end is no edge.

    Args:
        edges: `src`, `dst` of one type.

    Returns:
        `id`, `component`, in the order of `id`.
    """
    edges = edges.select("src", "dst").drop_nulls()
    ids = pl.concat([edges["src"].rename("id"), edges["dst"].rename("id")]).unique().sort()
    if ids.is_empty():
        return pl.DataFrame({"id": ids, "component": ids})
    numbered = pl.DataFrame({"id": ids}).with_row_index("number")
    ends = [
        edges.select(id=end).join(numbered, on="id", how="left", maintain_order="left")["number"]
        for end in ("src", "dst")
    ]
    ones = np.ones(edges.height, dtype=np.int8)
    graph = coo_array((ones, (ends[0].to_numpy(), ends[1].to_numpy())), shape=(len(ids),) * 2)
    _, labels = scipy_components(graph, directed=False)
    labelled = numbered.with_columns(label=pl.Series(labels))
    smallest = labelled.group_by("label").agg(component=pl.min("id"))
    return labelled.join(smallest, on="label").select("id", "component").sort("id")


def communities(links: pl.DataFrame, resolution: float) -> pl.DataFrame:
    """Split components into communities, one row per account.

    Leiden with the constant Potts model: a community's links weigh at least `resolution` a pair. It does
    not merge small rings in a large graph, as modularity does (Traag et al., 2011). Each component starts
    from the same seed, so that it does not matter which others are worked on beside it.

    Args:
        links: `src`, `dst`, `probability`, `component`; whole components.
        resolution: the least mean probability between members.

    Returns:
        `member`, `community` (the smallest member in it), in this order.
    """
    found = [pl.DataFrame(schema={"member": pl.String, "community": pl.String})]
    for part in links.sort("component", "src", "dst").partition_by("component"):
        found.append(_split(part, resolution))
    return pl.concat(found).sort("member")


def _split(links: pl.DataFrame, resolution: float) -> pl.DataFrame:
    ids = pl.concat([links["src"], links["dst"]]).unique().sort()
    number = {name: place for place, name in enumerate(ids)}
    graph = igraph.Graph(
        n=len(ids),
        edges=[(number[a], number[b]) for a, b in links.select("src", "dst").iter_rows()],
    )
    igraph.set_random_number_generator(random.Random(_SEED))  # noqa: S311
    parts = graph.community_leiden(
        objective_function="CPM",
        weights=links["probability"].to_list(),
        resolution=resolution,
        n_iterations=_ROUNDS,
    )
    labelled = pl.DataFrame({"member": ids, "label": parts.membership})
    return labelled.select("member", community=pl.min("member").over("label"))


def standing_rings(
    links: pl.DataFrame, members: pl.DataFrame, accounts: int, rules: RingRules
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Groups that stand as rings.

    A group stands with enough members, with links between a large enough share of its pairs, and with
    more of them than chance gives: a binomial tail, if as many links had been thrown at pairs of all
    accounts, times the groups looked at (Bonferroni).

    Args:
        links: `src`, `dst`, `probability`, `weight`, `first_date`, `last_date`: all that passed.
        members: `member`, `community`.
        accounts: how many accounts could have been linked.
        rules: what a ring needs.

    Returns:
        Rings: `community`, `accounts`, `links`, `density`, `significance`, `confidence`,
        `first_date`, `last_date`; and their members: `community`, `member`, `strength` (mean log-odds of
        the two best links inside).
    """
    inside = (
        links.join(members.rename({"member": "src"}), on="src")
        .join(members.rename({"member": "dst", "community": "other"}), on="dst")
        .filter(pl.col("community") == pl.col("other"))
    )
    sizes = (
        members.group_by("community")
        .agg(accounts=pl.len())
        .filter(pl.col("accounts") >= rules.min_accounts)
    )
    sums = inside.group_by("community").agg(
        links=pl.len(), first_date=pl.min("first_date"), last_date=pl.max("last_date")
    )
    rings = sizes.join(sums, on="community").sort("community")
    pairs = pl.col("accounts") * (pl.col("accounts") - 1) / 2
    chance = links.height / max(accounts * (accounts - 1) / 2, 1)
    rings = rings.with_columns(density=pl.col("links") / pairs, pairs=pairs)
    tail = binomial_surprise(rings["links"].to_numpy(), rings["pairs"].to_numpy(), min(chance, 1.0))
    rings = rings.with_columns(
        significance=(pl.Series(tail) - math.log10(max(rings.height, 1))).clip(0).round(3)
    ).filter(
        (pl.col("density") >= rules.min_density)
        & (pl.col("significance") >= rules.min_significance)
    )
    best = pl.concat([inside.select("community", "weight", member=end) for end in ("src", "dst")])
    strength = best.group_by("community", "member").agg(
        strength=pl.col("weight").top_k(2).sum() / 2
    )
    strength = strength.join(rings.select("community"), on="community", how="semi")
    confidence = strength.group_by("community").agg(
        confidence=(1 / (1 + (-pl.col("strength").mean()).exp())).round(6)
    )
    columns = [
        *("community", "accounts", "links", "density", "significance", "confidence"),
        *("first_date", "last_date"),
    ]
    return (
        rings.join(confidence, on="community").select(columns).sort("community"),
        strength.sort("community", "member"),
    )


def ranked_rings(rings: pl.DataFrame) -> pl.DataFrame:
    """Rings with their `rank`, 1 for the one to be opened first: by expected loss times confidence.

    Args:
        rings: `ring_id`, `confidence`, `expected_loss_amount` (yuan).
    """
    likely_loss = (pl.col("confidence") * pl.col("expected_loss_amount")).round(2)
    return (
        rings.with_columns(likely_loss=likely_loss)
        .sort("likely_loss", "confidence", "ring_id", descending=[True, True, False])
        .drop("likely_loss")
        .with_row_index("rank", offset=1)
    )
