variable "name" {
  description = "Begins every name."
  type        = string
}

variable "service" {
  description = "otp-service, user-service or admin-service."
  type        = string
}

variable "environment" {
  description = "dev, staging or prod."
  type        = string
}

variable "aws_region" {
  description = "Region of the logs."
  type        = string
}

variable "port" {
  description = "Where the service listens."
  type        = number
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "cluster_arn" {
  description = "The ECS cluster."
  type        = string
}

variable "namespace_id" {
  description = "Private DNS namespace."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Whom the tasks may reach, and who may reach them."
  type        = string
}

variable "target_group_arn" {
  description = "Target group, attached to the load balancer."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of images, logs and secrets."
  type        = string
}

variable "image_tag" {
  description = "Which image; null runs no task."
  type        = string
}

variable "cpu_architecture" {
  description = "ARM64 or X86_64."
  type        = string
}

variable "cpu" {
  description = "CPU units of a task."
  type        = number
}

variable "memory" {
  description = "MiB of a task."
  type        = number
}

variable "min_count" {
  description = "Tasks at least."
  type        = number
}

variable "max_count" {
  description = "Tasks at most."
  type        = number
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
}

variable "wait" {
  description = "Whether to wait until new tasks serve."
  type        = bool
}

variable "container_environment" {
  description = "Variables without a secret."
  type        = map(string)
}

variable "secrets" {
  description = "Variables whose values the task reads from Secrets Manager when it starts."
  type        = map(string)
}

variable "secret_arns" {
  description = "Which secrets that needs."
  type        = list(string)
}

variable "secret_versions" {
  description = "Another text replaces the tasks, so that they read their secrets again."
  type        = string
}
