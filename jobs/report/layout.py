"""The positions of the institutions of a component in its picture."""

import networkx as nx

from jobs.report.content import Component

_SEED = 7


def positions(component: Component) -> dict[str, tuple[float, float]]:
    """A point for each node, the same at each call; nodes that share more are closer."""
    graph = nx.Graph()
    graph.add_nodes_from(sorted(node.institution for node in component.nodes))
    for edge in sorted(component.edges, key=lambda each: (each.src, each.dst, each.kind)):
        known = graph.get_edge_data(edge.src, edge.dst, {"weight": 0.0})["weight"]
        graph.add_edge(edge.src, edge.dst, weight=known + edge.weight)
    for _, _, facts in graph.edges(data=True):
        facts["closeness"] = 1 + facts["weight"] ** 0.25
        facts["length"] = 1 / facts["closeness"]
    if len(graph) > 2 and nx.is_connected(graph):
        found = nx.kamada_kawai_layout(graph, weight="length")
    else:
        found = nx.spring_layout(graph, weight="closeness", seed=_SEED, iterations=80)
    return {name: (round(float(x), 4), round(float(y), 4)) for name, (x, y) in found.items()}
