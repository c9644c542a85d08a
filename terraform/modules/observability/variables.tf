variable "name" {
  description = "Begins every name."
  type        = string
}

variable "aws_region" {
  description = "Region of the dashboard."
  type        = string
}

variable "account_id" {
  description = "This account."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of the notifications."
  type        = string
}

variable "alarm_emails" {
  description = "Who is told."
  type        = list(string)
}

variable "monthly_budget_usd" {
  description = "Costs of a month; 0 is off."
  type        = number
}

variable "load_balancer" {
  description = "How CloudWatch names the load balancer."
  type        = string
}

variable "target_groups" {
  description = "How CloudWatch names the target groups, by service."
  type        = map(string)
}

variable "web_acl_name" {
  description = "The firewall, or null."
  type        = string
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "services" {
  description = "ECS service and log group, by service."
  type        = map(object({ service_name = string, log_group_name = string }))
}

variable "databases" {
  description = "Databases by service: their dimension in CloudWatch, and connections at most."
  type        = map(object({ dimension = map(string), is_aurora = bool, max_connections = number }))
}
