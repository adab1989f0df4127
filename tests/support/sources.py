"""Small foreign sources with a mapping, to be converted."""

import json

import pyarrow.parquet as pq
import yaml

from jobs.convert_source import JOB

#: A constant to take times from.
KNOWN = {"known": {"value": "2025-01-01 00:00:00", "note": "since then"}}
#: A SELECT for institutions of a view `places` with columns code and name.
PLACES = """SELECT code AS fixmedins_code, name AS fixmedins_name, known AS arrive_time,
                   DATE'2025-01-31' AS batch FROM places CROSS JOIN constants"""


class Source:
    """Files and a mapping below a folder of its own, and a landing folder to convert them to."""

    def __init__(self, new_workspace, folder):
        self.folder = folder
        self.mapping = folder / "mapping.yaml"
        (folder / "files").mkdir()
        self.workspace = new_workspace(
            f"source.mapping={self.mapping}", f"source.folder={folder / 'files'}"
        )

    def file(self, name, content):
        (self.folder / "files" / name).write_bytes(content)

    def map(self, views, tables, **more):
        told = {"title": "a source", "constants": KNOWN, "views": views, "tables": tables}
        self.mapping.write_text(yaml.safe_dump(told | more, allow_unicode=True))

    def convert(self):
        return self.workspace.run(JOB)

    def landed(self, table):
        """All rows of a table as dictionaries."""
        rows = []
        for place in sorted((self.workspace.landing.root / table).glob("batch=*")):
            for file in json.loads((place / "_manifest.json").read_text())["files"]:
                rows += pq.ParquetFile(place / file["name"]).read().to_pylist()
        return rows
