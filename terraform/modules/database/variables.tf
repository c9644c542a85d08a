variable "name" {
  description = "Name of the instance or the cluster."
  type        = string
}

variable "engine" {
  description = "postgres or aurora-postgresql."
  type        = string
}

variable "engine_version" {
  description = "Version of PostgreSQL."
  type        = string
}

variable "database_name" {
  description = "The database in it."
  type        = string
}

variable "username" {
  description = "Its owner."
  type        = string
}

variable "password" {
  description = "The owner's password; written, never kept."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "password_version" {
  description = "Another number sets the password anew."
  type        = number
}

variable "subnet_ids" {
  description = "Subnets without a way out."
  type        = list(string)
}

variable "security_group_id" {
  description = "Who may connect."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of the storage and of Performance Insights."
  type        = string
}

variable "instance_class" {
  description = "Class of the RDS instance."
  type        = string
}

variable "storage_gb" {
  description = "GiB to begin with."
  type        = number
}

variable "max_storage_gb" {
  description = "GiB to grow to."
  type        = number
}

variable "aurora_readers" {
  description = "Readers beside the writer."
  type        = number
}

variable "aurora_min_capacity_units" {
  description = "Capacity units that are always there."
  type        = number
}

variable "aurora_max_capacity_units" {
  description = "Capacity units at most."
  type        = number
}

variable "multi_az" {
  description = "A standby in another zone."
  type        = bool
}

variable "deletion_protection" {
  description = "Refuse to be deleted."
  type        = bool
}

variable "backup_retention_days" {
  description = "Days of point-in-time recovery."
  type        = number
}

variable "performance_insights_retention_days" {
  description = "Days of Performance Insights."
  type        = number
}

variable "keep_final_snapshot" {
  description = "Take a snapshot when it is deleted."
  type        = bool
}

variable "apply_immediately" {
  description = "Change at once instead of in the maintenance window."
  type        = bool
}
