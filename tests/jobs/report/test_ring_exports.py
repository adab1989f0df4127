"""A ring in other tools' forms, read back by these tools. No Spark."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import igraph
import networkx as nx
import pytest
from support.rings import ring

from jobs.report.ring import Finding, Part, Place, Ring, Tie
from jobs.report.ring_exports import follow_the_money, graphml, links_csv, members_csv
from jobs.report.strings import Words

EN = Words("en")
#: What FollowTheMoney 4.11 requires of each schema, and which further properties we fill in.
FTM = {
    "Person": ({"name"}, {"idNumber"}),
    "Organization": ({"name"}, {"registrationNumber", "description"}),
    "LegalEntity": ({"name"}, {"notes"}),
    "Membership": ({"member", "organization"}, {"role", "summary", "startDate", "endDate"}),
    "Family": ({"person", "relative"}, {"relationship"}),
    "Representation": ({"agent", "client"}, {"role", "summary"}),
    "UnknownLink": ({"subject", "object"}, {"role", "summary"}),
}
ENTITIES = ("member", "organization", "person", "relative", "agent", "client", "subject", "object")


def everything() -> Ring:
    """A ring with every kind of subject and tie."""
    of = ring(5, 2)
    return replace(
        of,
        parts=(
            *of.parts,
            Part("phone", "F00D", "collector", 0.5),
            Part("operator", "H0/o1", "dispenser", 0.6),
        ),
        findings=(*of.findings, Finding("linked_kin", 1.0, 1, subjects=("K1",))),
        ties=(
            *of.ties,
            Tie("kin", "K1", "M00000000", 0.8),
            Tie("carries", "F00D", "M00000001", 3.0),
            Tie("carries", "H0/o1", "M00000002", 4.0),
        ),
    )


def test_networkx_and_igraph_read_the_same_network_back(tmp_path: Path) -> None:
    of = everything()
    path = tmp_path / "ring.graphml"
    path.write_text(graphml(of), encoding="utf-8")

    read = nx.read_graphml(path, force_multigraph=True)
    assert read.is_directed()
    assert read.nodes["member:C00000000"]["role"] == "organiser"
    assert read.nodes["member:K1"]["role"] == "kin"
    assert read.nodes["institution:H0"]["lat"] == 30.0
    assert read.number_of_edges() == len(of.ties)
    kinds = sorted(kind for _, _, kind in read.edges(data="kind"))
    assert kinds == sorted(tie.kind for tie in of.ties)
    assert read.get_edge_data("phone:F00D", "member:M00000001")["e" + str(len(of.ties) - 2)][
        "weight"
    ] == pytest.approx(3.0)

    other = igraph.Graph.Read_GraphML(str(path))
    assert (other.vcount(), other.ecount()) == (read.number_of_nodes(), read.number_of_edges())


def test_what_xml_cannot_hold_is_replaced() -> None:
    of = ring(2, 0, parts=(Part("phone", "a\x00b<&>\x1f", "collector", 0.5),), ties=(), findings=())
    read = nx.parse_graphml(graphml(of))
    assert "phone:a\ufffdb<&>\ufffd" in read.nodes


def test_sheets_have_everybody_and_everything() -> None:
    of = everything()
    members = list(csv.DictReader(io.StringIO(members_csv(of, EN).lstrip("\ufeff"))))
    assert [row["subject_id"] for row in members[:2]] == ["C00000000", "C00000001"]
    assert len(members) == len(of.parts) + 1
    assert members[-1]["role"] == "kin"
    assert members[2]["boxes"] == "60"
    links = list(csv.DictReader(io.StringIO(links_csv(of).lstrip("\ufeff"))))
    assert len(links) == len(of.ties)


def test_no_cell_of_a_sheet_is_a_formula() -> None:
    bad = "=1+1"
    of = ring(2, 0, parts=(Part("phone", bad, "collector", 0.5),), ties=(Tie("link", bad, "b", 1),))
    assert "'=1+1" in members_csv(of, EN)
    assert "'=1+1" in links_csv(of)


def test_entities_are_of_known_schemata_and_point_at_each_other() -> None:
    entities = [json.loads(line) for line in follow_the_money(everything()).splitlines()]
    ids = [entity["id"] for entity in entities]
    assert len(ids) == len({*ids})
    assert {entity["schema"] for entity in entities} == {*FTM}
    for entity in entities:
        required, optional = FTM[entity["schema"]]
        names = {*entity["properties"]}
        assert required <= names <= required | optional
        for name in ENTITIES:
            assert {*entity["properties"].get(name, ())} <= {*ids}
        # Indicators, not verdicts.
        assert "topics" not in names


def test_the_library_takes_the_entities_as_they_are() -> None:
    model = pytest.importorskip("followthemoney").model
    for line in follow_the_money(everything()).splitlines():
        given = json.loads(line)
        proxy = model.get_proxy(given, cleaned=False)
        kept = {name: {*values} for name, values in proxy.to_dict()["properties"].items()}
        assert kept == {name: {*values} for name, values in given["properties"].items()}


def test_a_place_is_named_once() -> None:
    place = Place("H0", "Pharmacy", "pharmacy", 2, 3, Decimal(1))
    lines = follow_the_money(ring(2, 0, places=(place, place))).splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert len(ids) == len({*ids})
