"""Runs statements and then queries in Spark, round by round: {"timeZone", "packages", "s3", "rounds"} as JSON from standard
input; the rows of each round's queries as JSON to standard output."""

import datetime
import decimal
import json
import sys

from pyspark.sql import SparkSession

given = json.load(sys.stdin)
s3 = given["s3"]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.session.timeZone", given["timeZone"])
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.warehouse.dir", given["folder"])
    .config("spark.jars.packages", given["packages"]["packages"])
    .config("spark.jars.excludes", given["packages"]["excludes"])
    # An S3 that is not Amazon's: its address, and buckets that have no host names.
    .config("spark.hadoop.fs.s3a.endpoint", s3["endpoint"])
    .config("spark.hadoop.fs.s3a.endpoint.region", s3["AWS_REGION"])
    .config("spark.hadoop.fs.s3a.path.style.access", "true")
    .config("spark.hadoop.fs.s3a.access.key", s3["AWS_ACCESS_KEY_ID"])
    .config("spark.hadoop.fs.s3a.secret.key", s3["AWS_SECRET_ACCESS_KEY"])
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def plain(value):
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return float(value) if isinstance(value, decimal.Decimal) else value


def answers(of):
    for statement in of["statements"]:
        spark.sql(statement)
    return [[[plain(value) for value in row] for row in spark.sql(query).collect()] for query in of["queries"]]


rounds = [answers(of) for of in given["rounds"]]
spark.stop()
json.dump(rounds, sys.stdout)
