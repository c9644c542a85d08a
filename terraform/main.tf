module "network" {
  source = "./modules/network"

  name                       = local.name
  aws_region                 = var.aws_region
  vpc_cidr                   = var.vpc_cidr
  availability_zones         = local.zones
  single_nat_gateway         = var.single_nat_gateway
  enable_interface_endpoints = var.enable_interface_endpoints
  log_retention_days         = var.log_retention_days
  kms_key_arn                = aws_kms_key.this.arn
}

module "database" {
  source   = "./modules/database"
  for_each = local.contract

  name                                = "${local.name}-${each.value.database}"
  engine                              = var.db_engine
  engine_version                      = var.db_engine_version
  database_name                       = each.value.database
  username                            = "postkey"
  password                            = jsondecode(ephemeral.aws_secretsmanager_secret_version.database[each.key].secret_string).password
  password_version                    = aws_secretsmanager_secret_version.database[each.key].secret_string_wo_version
  subnet_ids                          = module.network.database_subnet_ids
  security_group_id                   = aws_security_group.database[each.key].id
  kms_key_arn                         = aws_kms_key.this.arn
  instance_class                      = local.sizes[each.key].db_instance_class
  storage_gb                          = local.sizes[each.key].db_storage_gb
  max_storage_gb                      = local.sizes[each.key].db_max_storage_gb
  aurora_readers                      = local.sizes[each.key].aurora_readers
  aurora_min_capacity_units           = local.sizes[each.key].aurora_min_capacity_units
  aurora_max_capacity_units           = local.sizes[each.key].aurora_max_capacity_units
  multi_az                            = var.db_multi_az
  deletion_protection                 = var.db_deletion_protection
  backup_retention_days               = var.db_backup_retention_days
  performance_insights_retention_days = var.db_performance_insights_retention_days
  keep_final_snapshot                 = var.environment == "prod"
  apply_immediately                   = var.environment != "prod"
}

module "edge" {
  source = "./modules/edge"

  name                      = local.name
  environment               = var.environment
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.public_subnet_ids
  security_group_id         = aws_security_group.load_balancer.id
  services                  = { for name, service in local.contract : name => { port = service.port, path_patterns = service.path_patterns } }
  admin_allowed_cidrs       = var.admin_allowed_cidrs
  tls                       = local.tls
  domain_name               = var.domain_name
  route53_zone_id           = var.route53_zone_id
  certificate_arn           = var.certificate_arn
  ssl_policy                = var.ssl_policy
  enable_waf                = var.enable_waf
  waf_rate_limit_per_5m     = var.waf_rate_limit_per_5m
  waf_otp_rate_limit_per_5m = var.waf_otp_rate_limit_per_5m
  log_retention_days        = var.log_retention_days
  kms_key_arn               = aws_kms_key.this.arn
  account_id                = data.aws_caller_identity.current.account_id
  partition                 = data.aws_partition.current.partition
}

resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# The services find each other by these names, inside the VPC alone.
resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = local.namespace
  description = "Services of ${local.name}"
  vpc         = module.network.vpc_id
}

module "service" {
  source   = "./modules/service"
  for_each = local.contract

  name               = local.name
  service            = each.key
  environment        = var.environment
  aws_region         = var.aws_region
  port               = each.value.port
  cluster_name       = aws_ecs_cluster.this.name
  cluster_arn        = aws_ecs_cluster.this.arn
  namespace_id       = aws_service_discovery_private_dns_namespace.this.id
  subnet_ids         = module.network.private_subnet_ids
  security_group_id  = aws_security_group.service[each.key].id
  target_group_arn   = module.edge.target_group_arns[each.key]
  kms_key_arn        = aws_kms_key.this.arn
  image_tag          = var.image_tag
  cpu_architecture   = var.cpu_architecture
  cpu                = local.sizes[each.key].cpu
  memory             = local.sizes[each.key].memory
  min_count          = local.sizes[each.key].min_count
  max_count          = local.sizes[each.key].max_count
  log_retention_days = var.log_retention_days
  wait               = var.wait_for_steady_state
  secrets            = local.secrets[each.key]
  secret_arns        = local.secret_arns[each.key]
  secret_versions    = local.secret_versions

  container_environment = merge(
    {
      ENVIRONMENT        = "production"
      HOST               = "0.0.0.0"
      PORT               = tostring(each.value.port)
      LOG_LEVEL          = var.log_level
      JWT_ALGORITHM      = var.token_algorithm
      DATABASE_POOL_SIZE = tostring(local.sizes[each.key].database_pool_size)
      # The load balancer's addresses: it names the client in X-Forwarded-For. To otp-service admin-service does too, for whom it
      # asks for operators' codes: without that all operators would share the limits of one network.
      TRUSTED_PROXIES           = join(",", concat(module.network.public_subnet_cidrs, each.key == "otp-service" ? module.network.private_subnet_cidrs : []))
      (each.value.url_variable) = "postgresql://postkey@${module.database[each.key].endpoint}:5432/${each.value.database}?${local.ssl}"
    },
    local.environment[each.key],
    each.key == "otp-service" && var.sms_daily_budget > 0 ? { SMS_DAILY_BUDGET = tostring(var.sms_daily_budget) } : {},
    local.sizes[each.key].environment,
  )
}

module "observability" {
  source = "./modules/observability"

  name               = local.name
  aws_region         = var.aws_region
  account_id         = data.aws_caller_identity.current.account_id
  kms_key_arn        = aws_kms_key.this.arn
  alarm_emails       = var.alarm_emails
  monthly_budget_usd = var.monthly_budget_usd
  load_balancer      = module.edge.load_balancer_arn_suffix
  target_groups      = module.edge.target_group_arn_suffixes
  web_acl_name       = module.edge.web_acl_name
  cluster_name       = aws_ecs_cluster.this.name
  services           = { for name, service in module.service : name => { service_name = service.service_name, log_group_name = service.log_group_name } }
  databases = { for name, database in module.database : name => {
    dimension = database.alarm_dimension, is_aurora = var.db_engine == "aurora-postgresql", max_connections = local.sizes[name].max_connections_of_the_db
  } }
}
