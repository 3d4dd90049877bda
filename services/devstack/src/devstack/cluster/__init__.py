"""Backup and restore of the databases of a cluster, to a volume or to S3."""
