variable "name" {
  description = "Begins every name."
  type        = string
}

variable "aws_region" {
  description = "Region of the endpoints."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of the VPC."
  type        = string
}

variable "availability_zones" {
  description = "Zones to use."
  type        = list(string)
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones instead of one for each."
  type        = bool
}

variable "enable_interface_endpoints" {
  description = "Private endpoints of ECR, CloudWatch Logs and Secrets Manager."
  type        = bool
}

variable "log_retention_days" {
  description = "Days that flow logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "Key of the flow logs."
  type        = string
}
