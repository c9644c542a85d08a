# terraform test, without an account: the provider is mocked.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/monitoring" }
  }
}

variables {
  name                                = "postkey-test-otp"
  engine                              = "postgres"
  engine_version                      = "17"
  database_name                       = "otp"
  username                            = "postkey"
  password                            = "only-in-this-test"
  password_version                    = 1
  subnet_ids                          = ["subnet-1", "subnet-2"]
  security_group_id                   = "sg-1"
  kms_key_arn                         = "arn:aws:kms:ap-south-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  instance_class                      = "db.t4g.small"
  storage_gb                          = 20
  max_storage_gb                      = 100
  aurora_readers                      = 2
  aurora_min_capacity_units           = 0.5
  aurora_max_capacity_units           = 4
  multi_az                            = true
  deletion_protection                 = true
  backup_retention_days               = 7
  performance_insights_retention_days = 7
  keep_final_snapshot                 = true
  apply_immediately                   = false
}

run "an_instance_is_private_encrypted_and_protected" {
  assert {
    condition     = length(aws_db_instance.this) == 1 && length(aws_rds_cluster.this) == 0
    error_message = "postgres must make one RDS instance and no cluster."
  }
  assert {
    condition     = !aws_db_instance.this[0].publicly_accessible && aws_db_instance.this[0].storage_encrypted && aws_db_instance.this[0].deletion_protection
    error_message = "The instance must be private, encrypted and protected."
  }
  assert {
    condition     = aws_db_instance.this[0].password == null
    error_message = "The password must be given through the write-only argument alone."
  }
  assert {
    condition     = contains([for parameter in aws_db_parameter_group.this[0].parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "Connections without TLS must be refused."
  }
  assert {
    condition     = !contains([for parameter in aws_db_parameter_group.this[0].parameter : parameter.name], "synchronous_commit")
    error_message = "Nothing may weaken what a commit promises."
  }
}

run "aurora_has_a_writer_and_readers" {
  variables {
    engine = "aurora-postgresql"
  }
  assert {
    condition     = length(aws_rds_cluster.this) == 1 && length(aws_rds_cluster_instance.this) == 3 && length(aws_db_instance.this) == 0
    error_message = "aurora-postgresql must make a cluster with a writer and two readers, and no RDS instance."
  }
  assert {
    condition     = aws_rds_cluster.this[0].storage_encrypted && aws_rds_cluster.this[0].deletion_protection
    error_message = "The cluster must be encrypted and protected."
  }
}
