"""Pages of Data Docs open without a network and run nothing."""

import re

from jobs.report.data_docs import offline_page, take_offline

PAGE = """<!DOCTYPE html><html><head><title>Validation</title>
<link rel="stylesheet" href="https://cdn.example/bootstrap.css">
<script src="https://cdn.example/jquery.js"></script>
<SCRIPT>document.write("<td>drawn</td>")</SCRIPT><style>body { background: url(https://x) }</style></head>
<body onload="run()"><img src="https://cdn.example/logo.png"><iframe src="//x"></iframe>
<a href="https://cdn.example/news">news</a> <a href='javascript:run()'>more</a>
<a href="../index.html">home</a><td style="color: red" onclick='run()'>5 of 100 rows</td></body></html>
"""


def test_a_page_fetches_and_runs_nothing_and_keeps_what_it_says():
    page = offline_page(PAGE, "body { color: black }")

    assert not re.search(
        r"(?i)https?:|//x|<script|<link|<img|<iframe|onload|onclick|javascript:", page
    )
    assert "5 of 100 rows" in page
    assert 'href="../index.html"' in page
    assert "default-src 'none'; style-src 'sha256-" in page


def test_the_index_lists_what_scripts_would_have_drawn(tmp_path):
    for name in ("validations/silver/person/none/1/a.html", "expectations/silver/person.html"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(PAGE)
    (tmp_path / "static/styles").mkdir(parents=True)
    (tmp_path / "static/styles/a.css").write_text("")

    take_offline(tmp_path)

    index = (tmp_path / "index.html").read_text()
    assert '<a href="validations/silver/person/none/1/a.html">silver.person</a>' in index
    assert '<a href="expectations/silver/person.html">silver.person</a>' in index
    assert not (tmp_path / "static").exists()
