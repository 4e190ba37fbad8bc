"""Make a bucket of S3 unless it is there: bucket.py NAME."""

from __future__ import annotations

import sys

import boto3


def main(name: str) -> None:
    """Make it."""
    client = boto3.client("s3")
    if name not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=name)


if __name__ == "__main__":
    main(sys.argv[1])
