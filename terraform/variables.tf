# --- Required ---------------------------------------------------------------------------------------------------------

variable "environment" {
  description = "Which environment this is; it is part of every name."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment must be dev, staging or prod."
  }
}

variable "msg91_auth_key" {
  description = "The authentication key of the MSG91 account. Give it as TF_VAR_msg91_auth_key: it is in no file, no plan and no state."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.msg91_auth_key) >= 10 && !strcontains(var.msg91_auth_key, " ")
    error_message = "msg91_auth_key must be the authentication key from the MSG91 panel: at least 10 characters, no blanks."
  }

  validation {
    condition     = var.msg91_auth_key != "simulator-auth-key"
    error_message = "msg91_auth_key is the simulator's; give the key of your MSG91 account."
  }
}

variable "msg91_template_id" {
  description = "The id of the OTP template at MSG91; its text has ##OTP## in the place of the code."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z]{8,64}$", var.msg91_template_id)) && var.msg91_template_id != "66a1f0c3d2b4e5968778695a"
    error_message = "msg91_template_id must be the id of a template of your MSG91 account (letters and digits), not the simulator's."
  }
}

# --- Names and places -------------------------------------------------------------------------------------------------

variable "project" {
  description = "Begins every name."
  type        = string
  default     = "postkey"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,15}$", var.project)) && !endswith(var.project, "-")
    error_message = "project must be 2 to 16 small letters, digits and hyphens, begin with a letter and not end with a hyphen."
  }
}

variable "aws_region" {
  description = "Where everything runs. MSG91 and most of its users are in India."
  type        = string
  default     = "ap-south-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.aws_region))
    error_message = "aws_region must be the name of a region like ap-south-1."
  }
}

variable "tags" {
  description = "Tags of every resource, besides Project, Environment and ManagedBy."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "No key of tags may begin with aws:, which AWS keeps for itself."
  }
}

# --- Network ----------------------------------------------------------------------------------------------------------

variable "vpc_cidr" {
  description = "Addresses of the VPC, /16 to /20."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 20, false)
    error_message = "vpc_cidr must be an IPv4 range like 10.40.0.0/16, from /16 to /20."
  }
}

variable "availability_zones" {
  description = "Zones to use, two or three; empty takes the first two of the region."
  type        = list(string)
  default     = []

  validation {
    condition     = contains([0, 2, 3], length(var.availability_zones))
    error_message = "availability_zones must name two or three zones, or none to take the first two."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones, cheaper, or one for each, so that sends go on when a zone fails."
  type        = bool
  default     = true
}

variable "enable_interface_endpoints" {
  description = "Private endpoints of ECR, CloudWatch Logs and Secrets Manager, so that their traffic does not pass the NAT gateway."
  type        = bool
  default     = false
}

variable "allowed_ingress_cidrs" {
  description = "Who may reach the public paths."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.allowed_ingress_cidrs) > 0 && alltrue([for cidr in var.allowed_ingress_cidrs : can(cidrhost(cidr, 0))])
    error_message = "allowed_ingress_cidrs must be one or more address ranges like 203.0.113.0/24."
  }
}

variable "admin_allowed_cidrs" {
  description = "Who may reach admin-service and its console; empty means nobody from outside."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.admin_allowed_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "admin_allowed_cidrs must be address ranges like 203.0.113.0/24, never the whole internet."
  }
}

# --- Name and certificate ---------------------------------------------------------------------------------------------

variable "domain_name" {
  description = "The host of the API, like id.example.com; with route53_zone_id a certificate and a record are made for it."
  type        = string
  default     = null

  validation {
    condition     = var.domain_name == null || can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must be a host name like id.example.com."
  }
}

variable "route53_zone_id" {
  description = "The hosted zone of domain_name."
  type        = string
  default     = null

  validation {
    condition     = var.route53_zone_id == null || var.domain_name != null
    error_message = "route53_zone_id needs domain_name: the name to make a record for."
  }
}

variable "certificate_arn" {
  description = "A certificate of ACM in the same region, where it is not made here."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate of ACM."
  }

  validation {
    condition     = var.environment != "prod" || var.certificate_arn != null || (var.domain_name != null && var.route53_zone_id != null)
    error_message = "prod needs TLS: give certificate_arn, or domain_name and route53_zone_id."
  }
}

variable "ssl_policy" {
  description = "TLS policy of the load balancer; ELBSecurityPolicy-TLS13-1-2-Res-2021-06 serves older clients."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

  validation {
    condition     = startswith(var.ssl_policy, "ELBSecurityPolicy-TLS13-")
    error_message = "ssl_policy must be one of those with TLS 1.3, which begin with ELBSecurityPolicy-TLS13-."
  }
}

# --- Services ---------------------------------------------------------------------------------------------------------

variable "image_tag" {
  description = "The tag of the images in ECR. Null, as at the first apply, runs no task."
  type        = string
  default     = null

  validation {
    condition     = var.image_tag == null || (can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", var.image_tag)) && var.image_tag != "latest")
    error_message = "image_tag must name one build, like a commit; latest does not."
  }
}

variable "cpu_architecture" {
  description = "What the images are built for."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "cpu_architecture must be ARM64 or X86_64."
  }
}

variable "services" {
  description = "Sizes by service: CPU units and MiB of a task, how many tasks, connections of one task, class and GiB of the database. What is left out has a default."
  type = map(object({
    cpu                       = optional(number, 256)
    memory                    = optional(number, 512)
    min_count                 = optional(number, 2)
    max_count                 = optional(number, 6)
    database_pool_size        = optional(number, 16)
    db_instance_class         = optional(string, "db.t4g.small")
    db_storage_gb             = optional(number, 20)
    db_max_storage_gb         = optional(number, 100)
    aurora_readers            = optional(number, 1)
    aurora_min_capacity_units = optional(number, 0.5)
    aurora_max_capacity_units = optional(number, 8)
    max_connections_of_the_db = optional(number, 180)
    environment               = optional(map(string), {})
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.services) : contains(["otp-service", "user-service", "admin-service"], name)])
    error_message = "services may only have the keys otp-service, user-service and admin-service."
  }

  validation {
    condition = alltrue([for service in values(var.services) : contains(lookup({
      "256"  = [512, 1024, 2048], "512" = [1024, 2048, 3072, 4096], "1024" = [2048, 3072, 4096, 5120, 6144, 7168, 8192],
      "2048" = [4096, 5120, 6144, 7168, 8192, 12288, 16384], "4096" = [8192, 12288, 16384, 24576, 30720]
    }, tostring(service.cpu), []), service.memory)])
    error_message = "cpu and memory must be a pair that Fargate knows, like 256 and 512, 512 and 1024, or 1024 and 2048."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.min_count >= 1 && service.min_count <= service.max_count])
    error_message = "min_count must be at least 1 and at most max_count."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.database_pool_size >= 4 && service.database_pool_size <= 200])
    error_message = "database_pool_size must be from 4 to 200."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : alltrue([for name in keys(service.environment) : !can(regex("(SECRET|AUTH_KEY|PRIVATE_KEY|DATABASE_URL|PASSWORD)", name))])])
    error_message = "environment of a service must not hold a secret or a database URL: those come from Secrets Manager."
  }
}

variable "wait_for_steady_state" {
  description = "Whether apply waits until the new tasks serve; never while image_tag is null."
  type        = bool
  default     = true
}

variable "log_level" {
  description = "Log level of the services."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["trace", "debug", "info", "notice", "warning", "error", "critical"], var.log_level)
    error_message = "log_level must be trace, debug, info, notice, warning, error or critical."
  }
}

# --- Codes and tokens -------------------------------------------------------------------------------------------------

variable "msg91_base_url" {
  description = "MSG91."
  type        = string
  default     = "https://control.msg91.com"

  validation {
    condition     = startswith(var.msg91_base_url, "https://") && !endswith(var.msg91_base_url, "/")
    error_message = "msg91_base_url must begin with https:// and not end with a slash."
  }
}

variable "otp_length" {
  description = "Digits of a code."
  type        = number
  default     = 6

  validation {
    condition     = var.otp_length >= 6 && var.otp_length <= 9
    error_message = "otp_length must be from 6 to 9."
  }
}

variable "otp_ttl_seconds" {
  description = "Seconds that a code lives."
  type        = number
  default     = 300

  validation {
    condition     = var.otp_ttl_seconds >= 60 && var.otp_ttl_seconds <= 600
    error_message = "otp_ttl_seconds must be from 60 to 600."
  }
}

variable "otp_max_attempts" {
  description = "Wrong codes until a challenge is over."
  type        = number
  default     = 5

  validation {
    condition     = var.otp_max_attempts >= 1 && var.otp_max_attempts <= 10
    error_message = "otp_max_attempts must be from 1 to 10."
  }
}

variable "otp_allowed_countries" {
  description = "Countries that codes go to, or [\"*\"]."
  type        = list(string)
  default     = ["IN"]

  validation {
    condition     = length(var.otp_allowed_countries) > 0 && (var.otp_allowed_countries == tolist(["*"]) || alltrue([for country in var.otp_allowed_countries : can(regex("^[A-Z]{2}$", country))]))
    error_message = "otp_allowed_countries must be two-letter codes like [\"IN\", \"US\"], or [\"*\"]."
  }
}

variable "sms_daily_budget" {
  description = "Messages in a day, after which no more are sent; 0 is no limit."
  type        = number
  default     = 0

  validation {
    condition     = var.sms_daily_budget >= 0 && var.sms_daily_budget <= 1000000000 && floor(var.sms_daily_budget) == var.sms_daily_budget
    error_message = "sms_daily_budget must be a whole number, 0 for no limit."
  }
}

variable "token_algorithm" {
  description = "HS256 signs users' tokens with the key that all services share; EdDSA with one that only user-service has, so that your own services can verify them by /.well-known/jwks.json."
  type        = string
  default     = "HS256"

  validation {
    condition     = contains(["HS256", "EdDSA"], var.token_algorithm)
    error_message = "token_algorithm must be HS256 or EdDSA."
  }
}

variable "access_token_ttl_seconds" {
  description = "Seconds that an access token lives."
  type        = number
  default     = 900

  validation {
    condition     = var.access_token_ttl_seconds >= 60 && var.access_token_ttl_seconds <= 3600
    error_message = "access_token_ttl_seconds must be from 60 to 3600."
  }
}

variable "blacklist_cleanup_interval_seconds" {
  description = "Seconds between cleanups of expired blacklisted tokens."
  type        = number
  default     = 86400

  validation {
    condition     = var.blacklist_cleanup_interval_seconds >= 60 && var.blacklist_cleanup_interval_seconds <= 604800
    error_message = "blacklist_cleanup_interval_seconds must be from 60 to 604800."
  }
}

# --- Secrets: raise a number to have a new one made -------------------------------------------------------------------

variable "msg91_secret_version" {
  description = "Raise it to have a changed msg91_auth_key stored."
  type        = number
  default     = 1

  validation {
    condition     = var.msg91_secret_version >= 1
    error_message = "msg91_secret_version must be at least 1."
  }
}

variable "token_key_version" {
  description = "Raise it for a new JWT_SECRET_KEY; the old one stays valid as JWT_PREVIOUS_SECRET_KEY."
  type        = number
  default     = 1

  validation {
    condition     = var.token_key_version >= 1
    error_message = "token_key_version must be at least 1."
  }
}

variable "private_key_version" {
  description = "Raise it for a new JWT_PRIVATE_KEY (EdDSA); tokens of the one before stay valid."
  type        = number
  default     = 1

  validation {
    condition     = var.private_key_version >= 1
    error_message = "private_key_version must be at least 1."
  }
}

variable "otp_key_version" {
  description = "Raise it for a new OTP_SECRET_KEY; the old one stays valid as OTP_PREVIOUS_SECRET_KEY."
  type        = number
  default     = 1

  validation {
    condition     = var.otp_key_version >= 1
    error_message = "otp_key_version must be at least 1."
  }
}

variable "db_credentials_version" {
  description = "Raise it for new passwords of the databases; the tasks are replaced in the same apply."
  type        = number
  default     = 1

  validation {
    condition     = var.db_credentials_version >= 1
    error_message = "db_credentials_version must be at least 1."
  }
}

# --- Databases --------------------------------------------------------------------------------------------------------

variable "db_engine" {
  description = "postgres: one RDS instance for each service. aurora-postgresql: an Aurora cluster with readers for each."
  type        = string
  default     = "postgres"

  validation {
    condition     = contains(["postgres", "aurora-postgresql"], var.db_engine)
    error_message = "db_engine must be postgres or aurora-postgresql."
  }
}

variable "db_engine_version" {
  description = "PostgreSQL's version; minor versions are applied by RDS in the maintenance window."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^(15|16|17)(\\.\\d+)?$", var.db_engine_version))
    error_message = "db_engine_version must be 15, 16 or 17, or one of their minor versions."
  }
}

variable "db_multi_az" {
  description = "A standby in another zone (RDS). Aurora takes its readers for it."
  type        = bool
  default     = true

  validation {
    condition     = var.environment != "prod" || var.db_multi_az
    error_message = "prod needs db_multi_az: without a standby every maintenance stops all sign-ins."
  }
}

variable "db_deletion_protection" {
  description = "Whether RDS refuses to delete the databases."
  type        = bool
  default     = true

  validation {
    condition     = var.environment != "prod" || var.db_deletion_protection
    error_message = "prod needs db_deletion_protection."
  }
}

variable "db_backup_retention_days" {
  description = "Days of point-in-time recovery."
  type        = number
  default     = 7

  validation {
    condition     = var.db_backup_retention_days >= 1 && var.db_backup_retention_days <= 35
    error_message = "db_backup_retention_days must be from 1 to 35."
  }

  validation {
    condition     = var.environment != "prod" || var.db_backup_retention_days >= 7
    error_message = "prod keeps backups for at least 7 days."
  }
}

variable "db_performance_insights_retention_days" {
  description = "Days of Performance Insights; 7 are free."
  type        = number
  default     = 7

  validation {
    condition     = contains([7, 731], var.db_performance_insights_retention_days) || (var.db_performance_insights_retention_days % 31 == 0 && var.db_performance_insights_retention_days >= 31 && var.db_performance_insights_retention_days <= 713)
    error_message = "db_performance_insights_retention_days must be 7, 731, or a multiple of 31 up to 713."
  }
}

variable "db_sslmode" {
  description = "verify-full needs the certificates of RDS in the images, which deploy/aws/push-images.sh puts there; require only encrypts."
  type        = string
  default     = "verify-full"

  validation {
    condition     = contains(["verify-full", "require"], var.db_sslmode) && (var.environment != "prod" || var.db_sslmode == "verify-full")
    error_message = "db_sslmode must be verify-full or, outside prod, require."
  }
}

# --- Protection, alarms, cost -----------------------------------------------------------------------------------------

variable "enable_waf" {
  description = "A web application firewall before the load balancer."
  type        = bool
  default     = true
}

variable "waf_rate_limit_per_5m" {
  description = "Requests of one address in five minutes, beyond which it is answered 429. Mobile carriers put many people behind one address."
  type        = number
  default     = 2000

  validation {
    condition     = var.waf_rate_limit_per_5m >= 10
    error_message = "waf_rate_limit_per_5m must be at least 10."
  }
}

variable "waf_otp_rate_limit_per_5m" {
  description = "The same for the paths that send a message."
  type        = number
  default     = 300

  validation {
    condition     = var.waf_otp_rate_limit_per_5m >= 10 && var.waf_otp_rate_limit_per_5m <= var.waf_rate_limit_per_5m
    error_message = "waf_otp_rate_limit_per_5m must be at least 10 and at most waf_rate_limit_per_5m."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 …"
  }
}

variable "alarm_emails" {
  description = "Who is told of alarms; each address must confirm once."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "alarm_emails must be e-mail addresses."
  }
}

variable "monthly_budget_usd" {
  description = "Warn when the account's costs of a month come near this; 0 is off."
  type        = number
  default     = 0

  validation {
    condition     = var.monthly_budget_usd >= 0
    error_message = "monthly_budget_usd must not be negative."
  }

  validation {
    condition     = var.monthly_budget_usd == 0 || length(var.alarm_emails) > 0
    error_message = "monthly_budget_usd needs alarm_emails: somebody to warn."
  }
}
