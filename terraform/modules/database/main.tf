# One PostgreSQL for one service: an RDS instance, or an Aurora cluster with readers.

locals {
  is_aurora = var.engine == "aurora-postgresql"
  major     = split(".", var.engine_version)[0]
  # What an acknowledged change rests on stays as PostgreSQL has it: synchronous_commit is on. These only add limits and sight.
  parameters = {
    "rds.force_ssl"                       = { value = "1", method = "immediate" }
    "log_statement"                       = { value = "ddl", method = "immediate" }
    "log_min_duration_statement"          = { value = "1000", method = "immediate" }
    "log_lock_waits"                      = { value = "1", method = "immediate" }
    "idle_in_transaction_session_timeout" = { value = "60000", method = "immediate" }
    "shared_preload_libraries"            = { value = "pg_stat_statements", method = "pending-reboot" }
  }
}

resource "aws_db_subnet_group" "this" {
  name_prefix = "${var.name}-"
  description = "Subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
}

data "aws_iam_policy_document" "monitoring_assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

data "aws_partition" "current" {}

resource "aws_iam_role" "monitoring" {
  name_prefix        = "${substr(var.name, 0, 26)}-monitor-"
  assume_role_policy = data.aws_iam_policy_document.monitoring_assume.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# --- RDS --------------------------------------------------------------------------------------------------------------

resource "aws_db_parameter_group" "this" {
  count       = local.is_aurora ? 0 : 1
  name_prefix = "${var.name}-"
  description = "Parameters of ${var.name}"
  family      = "postgres${local.major}"

  dynamic "parameter" {
    for_each = local.parameters
    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.method
    }
  }

  lifecycle { create_before_destroy = true }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:The services sign in with a password that only they can read; IAM tokens last 15 minutes and cannot be renewed by a connection pool of libpq
  count = local.is_aurora ? 0 : 1

  identifier                            = var.name
  engine                                = "postgres"
  engine_version                        = var.engine_version
  instance_class                        = var.instance_class
  allocated_storage                     = var.storage_gb
  max_allocated_storage                 = var.max_storage_gb
  storage_type                          = "gp3"
  storage_encrypted                     = true
  kms_key_id                            = var.kms_key_arn
  db_name                               = var.database_name
  username                              = var.username
  password_wo                           = var.password
  password_wo_version                   = var.password_version
  port                                  = 5432
  multi_az                              = var.multi_az
  publicly_accessible                   = false
  db_subnet_group_name                  = aws_db_subnet_group.this.name
  vpc_security_group_ids                = [var.security_group_id]
  parameter_group_name                  = aws_db_parameter_group.this[0].name
  ca_cert_identifier                    = "rds-ca-rsa2048-g1"
  backup_retention_period               = var.backup_retention_days
  backup_window                         = "20:00-20:30"
  maintenance_window                    = "sun:21:00-sun:22:00"
  auto_minor_version_upgrade            = true
  allow_major_version_upgrade           = false
  copy_tags_to_snapshot                 = true
  deletion_protection                   = var.deletion_protection
  delete_automated_backups              = !var.keep_final_snapshot
  skip_final_snapshot                   = !var.keep_final_snapshot
  final_snapshot_identifier             = var.keep_final_snapshot ? "${var.name}-final" : null
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = var.performance_insights_retention_days
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  apply_immediately                     = var.apply_immediately

  depends_on = [aws_iam_role_policy_attachment.monitoring]
}

# --- Aurora -----------------------------------------------------------------------------------------------------------

resource "aws_rds_cluster_parameter_group" "this" {
  count       = local.is_aurora ? 1 : 0
  name_prefix = "${var.name}-"
  description = "Parameters of ${var.name}"
  family      = "aurora-postgresql${local.major}"

  dynamic "parameter" {
    for_each = local.parameters
    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.method
    }
  }

  lifecycle { create_before_destroy = true }
}

resource "aws_rds_cluster" "this" {
  #checkov:skip=CKV_AWS_162:As for the RDS instance: a pool cannot renew IAM tokens
  #checkov:skip=CKV2_AWS_27:log_statement and log_min_duration_statement are in the parameter group, in a dynamic block that the check does not read
  #checkov:skip=CKV2_AWS_8:Automated backups with point-in-time recovery are on
  count = local.is_aurora ? 1 : 0

  cluster_identifier              = var.name
  engine                          = "aurora-postgresql"
  engine_mode                     = "provisioned"
  engine_version                  = var.engine_version
  database_name                   = var.database_name
  master_username                 = var.username
  master_password_wo              = var.password
  master_password_wo_version      = var.password_version
  port                            = 5432
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [var.security_group_id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this[0].name
  backup_retention_period         = var.backup_retention_days
  preferred_backup_window         = "20:00-20:30"
  preferred_maintenance_window    = "sun:21:00-sun:22:00"
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = !var.keep_final_snapshot
  final_snapshot_identifier       = var.keep_final_snapshot ? "${var.name}-final" : null
  enabled_cloudwatch_logs_exports = ["postgresql"]
  apply_immediately               = var.apply_immediately

  serverlessv2_scaling_configuration {
    min_capacity = var.aurora_min_capacity_units
    max_capacity = var.aurora_max_capacity_units
  }
}

resource "aws_rds_cluster_instance" "this" {
  count = local.is_aurora ? 1 + var.aurora_readers : 0

  identifier                            = "${var.name}-${count.index + 1}"
  cluster_identifier                    = aws_rds_cluster.this[0].id
  engine                                = aws_rds_cluster.this[0].engine
  engine_version                        = aws_rds_cluster.this[0].engine_version
  instance_class                        = "db.serverless"
  db_subnet_group_name                  = aws_db_subnet_group.this.name
  publicly_accessible                   = false
  auto_minor_version_upgrade            = true
  copy_tags_to_snapshot                 = true
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = var.performance_insights_retention_days
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  apply_immediately                     = var.apply_immediately

  depends_on = [aws_iam_role_policy_attachment.monitoring]
}
