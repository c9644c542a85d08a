# The smallest that works: about USD 155 a month, most of it load balancer, NAT gateway and three databases.
environment              = "dev"
db_multi_az              = false
db_deletion_protection   = false
db_backup_retention_days = 1
log_retention_days       = 30
enable_waf               = false

services = {
  otp-service   = { min_count = 1, max_count = 2, db_instance_class = "db.t4g.micro", max_connections_of_the_db = 80 }
  user-service  = { min_count = 1, max_count = 2, db_instance_class = "db.t4g.micro", max_connections_of_the_db = 80 }
  admin-service = { min_count = 1, max_count = 2, db_instance_class = "db.t4g.micro", max_connections_of_the_db = 80 }
}
