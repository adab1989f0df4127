"""What an insured account has been doing: features of members, in Polars, on all rows of some members.

Spark brings all the rows of a member into one task, once (`features.member_stream`); these functions
then work on whole columns of many members at a time. None of them knows of Spark.
"""
