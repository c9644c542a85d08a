# Who may open a connection to whom; nothing else is possible.
#
#   internet → load balancer → services → their own database
#   admin-service → otp-service, user-service;  otp-service → user-service
#   services → internet, port 443 (MSG91, AWS)

resource "aws_security_group" "load_balancer" {
  #checkov:skip=CKV2_AWS_5:Attached in the module edge
  name_prefix = "${local.name}-lb-"
  description = "Load balancer"
  vpc_id      = module.network.vpc_id
  tags        = { Name = "${local.name}-lb" }
  lifecycle { create_before_destroy = true }
}

resource "aws_security_group" "service" {
  #checkov:skip=CKV2_AWS_5:Attached in the module service
  for_each    = local.contract
  name_prefix = "${local.name}-${each.key}-"
  description = "Tasks of ${each.key}"
  vpc_id      = module.network.vpc_id
  tags        = { Name = "${local.name}-${each.key}" }
  lifecycle { create_before_destroy = true }
}

resource "aws_security_group" "database" {
  #checkov:skip=CKV2_AWS_5:Attached in the module database
  for_each    = local.contract
  name_prefix = "${local.name}-${each.value.database}-db-"
  description = "Database of ${each.key}"
  vpc_id      = module.network.vpc_id
  tags        = { Name = "${local.name}-${each.value.database}-db" }
  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "public" {
  #checkov:skip=CKV_AWS_260:Port 80 only redirects to HTTPS where there is a certificate
  for_each          = { for pair in setproduct(local.tls ? [80, 443] : [80], var.allowed_ingress_cidrs) : "${pair[0]}-${pair[1]}" => { port = pair[0], cidr = pair[1] } }
  security_group_id = aws_security_group.load_balancer.id
  description       = "Clients"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

resource "aws_vpc_security_group_egress_rule" "load_balancer_to_service" {
  for_each                     = local.contract
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Requests to ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.service[each.key].id
}

resource "aws_vpc_security_group_ingress_rule" "service_from_load_balancer" {
  for_each                     = local.contract
  security_group_id            = aws_security_group.service[each.key].id
  description                  = "Requests from the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.load_balancer.id
}

resource "aws_vpc_security_group_egress_rule" "internal_call" {
  for_each                     = local.internal_calls
  security_group_id            = aws_security_group.service[each.value.from].id
  description                  = "Internal requests to ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = local.contract[each.value.to].port
  to_port                      = local.contract[each.value.to].port
  referenced_security_group_id = aws_security_group.service[each.value.to].id
}

resource "aws_vpc_security_group_ingress_rule" "internal_call" {
  for_each                     = local.internal_calls
  security_group_id            = aws_security_group.service[each.value.to].id
  description                  = "Internal requests of ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = local.contract[each.value.to].port
  to_port                      = local.contract[each.value.to].port
  referenced_security_group_id = aws_security_group.service[each.value.from].id
}

resource "aws_vpc_security_group_egress_rule" "https" {
  for_each          = local.contract
  security_group_id = aws_security_group.service[each.key].id
  description       = "MSG91 and the interfaces of AWS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "database" {
  for_each                     = local.contract
  security_group_id            = aws_security_group.service[each.key].id
  description                  = "Its own database"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.database[each.key].id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  for_each                     = local.contract
  security_group_id            = aws_security_group.database[each.key].id
  description                  = "Its own service"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.service[each.key].id
}
