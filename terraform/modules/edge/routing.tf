# Which request goes where. The same table is in deploy/nginx/postkey.conf.
#
#   1     /internal* /metrics* /health*                             nobody: 404
#   10    /v1/otp/*                                                 otp-service
#   20    /v1/auth/* /v1/users/* /.well-known/*                     user-service
#   30…   everything else, from admin_allowed_cidrs only            admin-service and its console
#   -     everything else                                           404

locals {
  not_found  = jsonencode({ type = "about:blank", title = "Not Found", status = 404, code = "not-found" })
  listener   = var.tls ? one(aws_lb_listener.https[*].arn) : aws_lb_listener.http.arn
  public     = { for name, service in var.services : name => service if length(service.path_patterns) > 0 }
  priority   = { otp-service = 10, user-service = 20 }
  admin_cidr = { for index, cidrs in chunklist(var.admin_allowed_cidrs, 5) : tostring(30 + index) => cidrs }
}

resource "aws_lb_listener" "http" {
  #checkov:skip=CKV_AWS_2:Redirects to HTTPS where there is a certificate, which prod requires
  #checkov:skip=CKV_AWS_103:Redirects to HTTPS where there is a certificate, which prod requires
  #checkov:skip=CKV2_AWS_20:Redirects to HTTPS where there is a certificate, which prod requires
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  dynamic "default_action" {
    for_each = var.tls ? [1] : []
    content {
      type = "redirect"
      redirect {
        protocol    = "HTTPS"
        port        = "443"
        status_code = "HTTP_301"
      }
    }
  }

  dynamic "default_action" {
    for_each = var.tls ? [] : [1]
    content {
      type = "fixed-response"
      fixed_response {
        content_type = "application/json"
        status_code  = "404"
        message_body = local.not_found
      }
    }
  }
}

resource "aws_lb_listener" "https" {
  count             = var.tls ? 1 : 0
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.ssl_policy
  certificate_arn   = local.certificate_arn

  routing_http_response_strict_transport_security_header_value = "max-age=31536000; includeSubDomains"
  routing_http_response_server_enabled                         = false

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      status_code  = "404"
      message_body = local.not_found
    }
  }
}

resource "aws_lb_listener_rule" "closed" {
  listener_arn = local.listener
  priority     = 1

  action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      status_code  = "404"
      message_body = local.not_found
    }
  }

  condition {
    path_pattern {
      values = ["/internal*", "/metrics*", "/health*"]
    }
  }
}

resource "aws_lb_listener_rule" "public" {
  for_each     = local.public
  listener_arn = local.listener
  priority     = local.priority[each.key]

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }

  condition {
    path_pattern {
      values = each.value.path_patterns
    }
  }
}

resource "aws_lb_listener_rule" "admin" {
  for_each     = local.admin_cidr
  listener_arn = local.listener
  priority     = tonumber(each.key)

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["admin-service"].arn
  }

  condition {
    source_ip {
      values = each.value
    }
  }
}

# A target group must belong to a load balancer before a service may use it, which admin-service's does not while nobody
# is allowed to reach it from outside. This rule, for a host that cannot exist, attaches it.
resource "aws_lb_listener_rule" "admin_attached" {
  listener_arn = local.listener
  priority     = 49999

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["admin-service"].arn
  }

  condition {
    host_header {
      values = ["admin-service.invalid"]
    }
  }

  condition {
    source_ip {
      values = ["127.0.0.1/32"]
    }
  }
}
