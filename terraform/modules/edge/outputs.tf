output "dns_name" {
  description = "Host of the load balancer."
  value       = aws_lb.this.dns_name
}

output "load_balancer_arn_suffix" {
  description = "How CloudWatch names the load balancer."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arns" {
  description = "Target group by service, once it is attached to the load balancer."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn }
  depends_on  = [aws_lb_listener_rule.public, aws_lb_listener_rule.admin_attached]
}

output "target_group_arn_suffixes" {
  description = "How CloudWatch names the target groups."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn_suffix }
}

output "web_acl_name" {
  description = "The firewall; null where there is none."
  value       = one(aws_wafv2_web_acl.this[*].name)
}
