"""Features of members, computed in Polars from all rows of some members.

Spark brings all rows of a member into one task, once (`features.member.stream`). These functions then work
on whole columns of many members at a time. None of them imports Spark.
"""
