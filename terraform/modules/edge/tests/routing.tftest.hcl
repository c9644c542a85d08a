# The public door: what is open, for whom, and what is never open.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_elb_service_account" {
    defaults = { arn = "arn:aws:iam::718504428378:root" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-south-1:123456789012:loadbalancer/app/postkey-test/1234567890abcdef" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-south-1:123456789012:listener/app/postkey-test/1234567890abcdef/1234567890abcdef" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-south-1:123456789012:targetgroup/otp/1234567890abcdef" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:ap-south-1:123456789012:regional/webacl/postkey-test/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-south-1:123456789012:log-group:aws-waf-logs-postkey-test" }
  }
}

variables {
  name              = "postkey-test"
  environment       = "prod"
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
  services = {
    otp-service   = { port = 8081, path_patterns = ["/v1/otp/*"] }
    user-service  = { port = 8082, path_patterns = ["/v1/auth/*", "/v1/users/*", "/.well-known/*"] }
    admin-service = { port = 8083, path_patterns = [] }
  }
  admin_allowed_cidrs       = []
  tls                       = true
  domain_name               = null
  route53_zone_id           = null
  certificate_arn           = "arn:aws:acm:ap-south-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
  ssl_policy                = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
  enable_waf                = true
  waf_rate_limit_per_5m     = 2000
  waf_otp_rate_limit_per_5m = 300
  log_retention_days        = 365
  kms_key_arn               = "arn:aws:kms:ap-south-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  account_id                = "123456789012"
  partition                 = "aws"
}

run "what_is_internal_is_closed_before_anything_is_open" {
  assert {
    condition     = aws_lb_listener_rule.closed.priority < min([for rule in aws_lb_listener_rule.public : rule.priority]...)
    error_message = "The rule that closes must come first."
  }
  assert {
    condition     = alltrue([for path in ["/internal*", "/metrics*", "/health*"] : contains(one(one(aws_lb_listener_rule.closed.condition).path_pattern).values, path)]) && one(aws_lb_listener_rule.closed.action).type == "fixed-response"
    error_message = "/internal, /metrics and /health must be answered 404 at the load balancer."
  }
  assert {
    condition     = one(one(aws_lb_listener.https[0].default_action).fixed_response).status_code == "404"
    error_message = "What no rule knows must be 404."
  }
  assert {
    condition     = one(one(aws_lb_listener.http.default_action).redirect).protocol == "HTTPS"
    error_message = "Plain HTTP must only redirect."
  }
}

run "without_a_network_nobody_reaches_the_console" {
  assert {
    condition     = length(aws_lb_listener_rule.admin) == 0
    error_message = "No rule may lead to admin-service while admin_allowed_cidrs is empty."
  }
}

run "the_console_is_for_the_named_networks" {
  variables {
    admin_allowed_cidrs = ["203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]
  }
  assert {
    condition     = length(aws_lb_listener_rule.admin) == 2 && alltrue([for rule in aws_lb_listener_rule.admin : length(one(one(rule.condition).source_ip).values) <= 5])
    error_message = "Six networks need two rules: a rule takes five values."
  }
  assert {
    condition     = alltrue([for rule in aws_lb_listener_rule.admin : rule.priority > max([for open in aws_lb_listener_rule.public : open.priority]...)])
    error_message = "The console is everything that the public paths are not."
  }
}

run "the_load_balancer_asks_for_life_not_for_readiness" {
  assert {
    condition     = alltrue([for group in aws_lb_target_group.this : one(group.health_check).path == "/health/live"])
    error_message = "A failover of a database must not kill the tasks."
  }
}
