# Every validation refuses what it should. Against a moto server (scripts/check-deployment.sh starts it): Terraform 1.11
# cannot mock a configuration with ephemeral resources.
variables {
  environment       = "dev"
  msg91_auth_key    = "0123456789abcdef"
  msg91_template_id = "5fabcdefabcdefabcdef0123"
  certificate_arn   = "arn:aws:acm:ap-south-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
}

run "the_smallest_configuration_is_valid" {
  command = plan
}

run "aurora_is_one_variable" {
  command = plan
  variables {
    db_engine = "aurora-postgresql"
  }
}

run "what_is_possible_and_probably_not_meant_is_a_warning" {
  command = plan
  variables {
    environment = "prod"
    services    = { otp-service = { max_count = 100 } }
  }
  expect_failures = [check.nat_in_each_zone, check.alarms_reach_somebody, check.connections_fit]
}

run "without_a_certificate_there_is_a_warning" {
  command = plan
  variables { certificate_arn = null }
  expect_failures = [check.encrypted]
}

run "environment" {
  command = plan
  variables { environment = "production" }
  expect_failures = [var.environment]
}

run "the_key_of_the_simulator" {
  command = plan
  variables { msg91_auth_key = "simulator-auth-key" }
  expect_failures = [var.msg91_auth_key]
}

run "a_key_with_a_blank" {
  command = plan
  variables { msg91_auth_key = "0123456789 abcdef" }
  expect_failures = [var.msg91_auth_key]
}

run "the_template_of_the_simulator" {
  command = plan
  variables { msg91_template_id = "66a1f0c3d2b4e5968778695a" }
  expect_failures = [var.msg91_template_id]
}

run "names_and_places" {
  command = plan
  variables {
    project    = "Postkey_1"
    aws_region = "mumbai"
    vpc_cidr   = "10.0.0.0/8"
    tags       = { "aws:owner" = "me" }
  }
  expect_failures = [var.project, var.aws_region, var.vpc_cidr, var.tags]
}

run "one_zone_is_none" {
  command = plan
  variables { availability_zones = ["ap-south-1a"] }
  expect_failures = [var.availability_zones]
}

run "the_console_is_not_for_everybody" {
  command = plan
  variables { admin_allowed_cidrs = ["0.0.0.0/0"] }
  expect_failures = [var.admin_allowed_cidrs]
}

run "prod_needs_tls_a_standby_protection_and_backups" {
  command = plan
  variables {
    environment              = "prod"
    certificate_arn          = null
    single_nat_gateway       = false
    alarm_emails             = ["ops@example.com"]
    db_multi_az              = false
    db_deletion_protection   = false
    db_backup_retention_days = 1
    db_sslmode               = "require"
  }
  expect_failures = [var.certificate_arn, var.db_multi_az, var.db_deletion_protection, var.db_backup_retention_days, var.db_sslmode]
}

run "a_zone_without_a_name" {
  command = plan
  variables { route53_zone_id = "Z0123456789ABCDEFGHIJ" }
  expect_failures = [var.route53_zone_id]
}

run "latest_is_no_version" {
  command = plan
  variables { image_tag = "latest" }
  expect_failures = [var.image_tag]
}

run "sizes" {
  command = plan
  variables { services = { sms-service = {}, otp-service = { cpu = 256, memory = 4096 }, user-service = { min_count = 3, max_count = 2 }, admin-service = { database_pool_size = 1000 } } }
  expect_failures = [var.services]
}

run "no_secret_among_the_settings" {
  command = plan
  variables { services = { otp-service = { environment = { OTP_SECRET_KEY = "0123" } } } }
  expect_failures = [var.services]
}

run "codes_and_tokens" {
  command = plan
  variables {
    msg91_base_url                     = "http://control.msg91.com"
    otp_length                         = 4
    otp_ttl_seconds                    = 5
    otp_max_attempts                   = 0
    otp_allowed_countries              = ["india"]
    sms_daily_budget                   = -1
    token_algorithm                    = "none"
    access_token_ttl_seconds           = 86400
    blacklist_cleanup_interval_seconds = 1
  }
  expect_failures = [
    var.msg91_base_url, var.otp_length, var.otp_ttl_seconds, var.otp_max_attempts, var.otp_allowed_countries,
    var.sms_daily_budget, var.token_algorithm, var.access_token_ttl_seconds, var.blacklist_cleanup_interval_seconds,
  ]
}

run "databases_and_the_rest" {
  command = plan
  variables {
    db_engine                              = "mysql"
    db_engine_version                      = "12"
    db_performance_insights_retention_days = 8
    ssl_policy                             = "ELBSecurityPolicy-2016-08"
    cpu_architecture                       = "arm"
    log_level                              = "loud"
    log_retention_days                     = 2
    waf_otp_rate_limit_per_5m              = 5000
    alarm_emails                           = ["nobody"]
  }
  expect_failures = [
    var.db_engine, var.db_engine_version, var.db_performance_insights_retention_days, var.ssl_policy, var.cpu_architecture,
    var.log_level, var.log_retention_days, var.waf_otp_rate_limit_per_5m, var.alarm_emails,
  ]
}

run "no_budget_below_zero" {
  command = plan
  variables { monthly_budget_usd = -5 }
  expect_failures = [var.monthly_budget_usd]
}

run "a_budget_that_warns_nobody" {
  command = plan
  variables { monthly_budget_usd = 100 }
  expect_failures = [var.monthly_budget_usd]
}
