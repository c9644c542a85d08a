variable "name" {
  description = "Begins every name."
  type        = string
}

variable "environment" {
  description = "dev, staging or prod."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Who may reach the load balancer, and whom it may reach."
  type        = string
}

variable "services" {
  description = "Port and public paths by service; admin-service has no public path."
  type        = map(object({ port = number, path_patterns = list(string) }))
}

variable "admin_allowed_cidrs" {
  description = "Who may reach admin-service."
  type        = list(string)
}

variable "tls" {
  description = "Whether there is a certificate, given or made here."
  type        = bool
}

variable "domain_name" {
  description = "Host of the API."
  type        = string
}

variable "route53_zone_id" {
  description = "Zone in which to make certificate and record."
  type        = string
}

variable "certificate_arn" {
  description = "A certificate that is there already."
  type        = string
}

variable "ssl_policy" {
  description = "TLS policy."
  type        = string
}

variable "enable_waf" {
  description = "Whether there is a firewall."
  type        = bool
}

variable "waf_rate_limit_per_5m" {
  description = "Requests of one address in five minutes."
  type        = number
}

variable "waf_otp_rate_limit_per_5m" {
  description = "The same for paths that send messages."
  type        = number
}

variable "log_retention_days" {
  description = "Days that the firewall's and the load balancer's logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "Key of the firewall's logs."
  type        = string
}

variable "account_id" {
  description = "This account."
  type        = string
}

variable "partition" {
  description = "aws, or aws-cn and so on."
  type        = string
}
