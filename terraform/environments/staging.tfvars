# Like production in shape, smaller in size.
environment            = "staging"
db_deletion_protection = false
log_retention_days     = 90

services = {
  otp-service   = { max_count = 4 }
  user-service  = { max_count = 4 }
  admin-service = { min_count = 1, max_count = 2 }
}
