output "service_name" {
  description = "The ECS service, which is there once there is an image."
  value       = var.service
}

output "repository_url" {
  description = "Where its images are."
  value       = aws_ecr_repository.this.repository_url
}

output "migration_family" {
  description = "The task that migrates; by its family, so that the newest revision is meant."
  value       = aws_ecs_task_definition.migrate.family
}

output "log_group_name" {
  description = "Where it logs."
  value       = aws_cloudwatch_log_group.this.name
}
