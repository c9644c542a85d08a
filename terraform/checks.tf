# Warnings, not errors: what is possible and probably not meant.

check "nat_in_each_zone" {
  assert {
    condition     = var.environment != "prod" || !var.single_nat_gateway
    error_message = "prod has one NAT gateway: when its zone fails no code can be sent. single_nat_gateway = false has one in each zone."
  }
}

check "alarms_reach_somebody" {
  assert {
    condition     = var.environment != "prod" || length(var.alarm_emails) > 0
    error_message = "prod has alarms that nobody is told of: give alarm_emails."
  }
}

check "encrypted" {
  assert {
    condition     = local.tls
    error_message = "There is no certificate: codes and tokens travel in plain text, and the console cannot be signed in to. Only for a first look."
  }
}

check "connections_fit" {
  assert {
    condition     = alltrue([for service in values(local.sizes) : service.max_count * service.database_pool_size <= service.max_connections_of_the_db])
    error_message = "max_count × database_pool_size exceeds max_connections_of_the_db of a service: lower the pool size or take a larger db_instance_class."
  }
}
