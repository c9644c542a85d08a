data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:Only the first two are taken; availability_zones pins others
  state = "available"
}

locals {
  name  = "${var.project}-${var.environment}"
  zones = length(var.availability_zones) > 0 ? var.availability_zones : slice(data.aws_availability_zones.available.names, 0, 2)
  tls   = var.certificate_arn != null || var.route53_zone_id != null

  # What each service is, as in the HTTP contract: its port, its database, the variable with its URL.
  contract = {
    otp-service   = { port = 8081, database = "otp", url_variable = "OTP_DATABASE_URL", path_patterns = ["/v1/otp/*"] }
    user-service  = { port = 8082, database = "users", url_variable = "USER_DATABASE_URL", path_patterns = ["/v1/auth/*", "/v1/users/*", "/.well-known/*"] }
    admin-service = { port = 8083, database = "admin", url_variable = "ADMIN_DATABASE_URL", path_patterns = [] }
  }
  # Who asks whose /internal paths, inside the network.
  internal_calls = {
    admin-to-otp  = { from = "admin-service", to = "otp-service" }
    admin-to-user = { from = "admin-service", to = "user-service" }
    otp-to-user   = { from = "otp-service", to = "user-service" }
  }
  sizes = { for name, service in local.contract : name => lookup(var.services, name, {
    cpu                       = 256, memory = 512, min_count = 2, max_count = 6, database_pool_size = 16, db_instance_class = "db.t4g.small"
    db_storage_gb             = 20, db_max_storage_gb = 100, aurora_readers = 1, aurora_min_capacity_units = 0.5, aurora_max_capacity_units = 8
    max_connections_of_the_db = 180, environment = {}
  }) }

  namespace = "${local.name}.internal"
  url       = { for name, service in local.contract : name => "http://${name}.${local.namespace}:${service.port}" }
  ssl       = var.db_sslmode == "verify-full" ? "sslmode=verify-full&sslrootcert=/etc/postkey/certificates/rds-global-bundle.pem" : "sslmode=require"

  # The services' variables; secrets are in secrets.tf, defaults of the services are not repeated.
  environment = {
    otp-service = {
      OTP_LENGTH            = tostring(var.otp_length)
      OTP_TTL               = tostring(var.otp_ttl_seconds)
      OTP_MAX_ATTEMPTS      = tostring(var.otp_max_attempts)
      OTP_ALLOWED_COUNTRIES = join(",", var.otp_allowed_countries)
      MSG91_BASE_URL        = var.msg91_base_url
      MSG91_TEMPLATE_ID     = var.msg91_template_id
      USER_SERVICE_URL      = local.url["user-service"]
    }
    user-service = {
      ACCESS_TOKEN_TTL           = tostring(var.access_token_ttl_seconds)
      BLACKLIST_CLEANUP_INTERVAL = tostring(var.blacklist_cleanup_interval_seconds)
    }
    admin-service = {
      OTP_SERVICE_URL  = local.url["otp-service"]
      USER_SERVICE_URL = local.url["user-service"]
    }
  }
}
