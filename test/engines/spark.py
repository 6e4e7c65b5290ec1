"""Runs statements and then queries in Spark: {"timeZone", "statements", "queries"} as JSON from standard input; the rows of
each query as JSON to standard output."""

import datetime
import decimal
import json
import sys

from pyspark.sql import SparkSession

given = json.load(sys.stdin)
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.session.timeZone", given["timeZone"])
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.warehouse.dir", given["folder"])
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def plain(value):
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return float(value) if isinstance(value, decimal.Decimal) else value


for statement in given["statements"]:
    spark.sql(statement)
answers = [[[plain(value) for value in row] for row in spark.sql(query).collect()] for query in given["queries"]]
spark.stop()
json.dump(answers, sys.stdout)
