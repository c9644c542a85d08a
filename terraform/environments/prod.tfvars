# Give domain_name and route53_zone_id (or certificate_arn), admin_allowed_cidrs and alarm_emails beside this file.
environment                = "prod"
single_nat_gateway         = false
enable_interface_endpoints = true
db_backup_retention_days   = 14

services = {
  otp-service   = { cpu = 512, memory = 1024, max_count = 10, db_instance_class = "db.m7g.large", db_storage_gb = 50, db_max_storage_gb = 500, max_connections_of_the_db = 800 }
  user-service  = { cpu = 512, memory = 1024, max_count = 10, db_instance_class = "db.m7g.large", db_storage_gb = 100, db_max_storage_gb = 1000, max_connections_of_the_db = 800 }
  admin-service = { max_count = 4, db_instance_class = "db.t4g.small" }
}
