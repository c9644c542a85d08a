output "api_url" {
  description = "Where the API is reached."
  value       = local.tls ? "https://${coalesce(var.domain_name, module.edge.dns_name)}" : "http://${module.edge.dns_name}"
}

output "alb_dns_name" {
  description = "The load balancer; point the record of domain_name at it where none is made here."
  value       = module.edge.dns_name
}

output "nat_public_ips" {
  description = "Allow-list these at MSG91 (API security of the key), which answers others with error 418."
  value       = module.network.nat_public_ips
}

output "ecr_repository_urls" {
  description = "Where the images are pushed to, by service."
  value       = { for name, service in module.service : name => service.repository_url }
}

output "ecs_cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_names" {
  description = "The ECS services."
  value       = { for name, service in module.service : name => service.service_name }
}

output "migration_task" {
  description = "What deploy/aws/migrate.sh runs, by service."
  value = { for name, service in module.service : name => {
    region          = var.aws_region
    cluster         = aws_ecs_cluster.this.name
    task_definition = service.migration_family
    subnets         = module.network.private_subnet_ids
    security_groups = [aws_security_group.service[name].id]
  } }
}

output "db_endpoints" {
  description = "The writers of the databases."
  value       = { for name, database in module.database : name => database.endpoint }
}

output "db_reader_endpoints" {
  description = "The readers, where db_engine is aurora-postgresql."
  value       = { for name, database in module.database : name => database.reader_endpoint }
}

output "secret_arns" {
  description = "Where the secrets are; their values are nowhere else."
  value = {
    databases = { for name, secret in aws_secretsmanager_secret.database : name => secret.arn }
    generated = { for name, secret in aws_secretsmanager_secret.generated : name => secret.arn }
    msg91     = aws_secretsmanager_secret.msg91.arn
  }
}

output "log_groups" {
  description = "Where each service logs."
  value       = { for name, service in module.service : name => service.log_group_name }
}

output "dashboard_url" {
  description = "The dashboard in CloudWatch."
  value       = module.observability.dashboard_url
}

output "delivery_report_path" {
  description = "The path of MSG91's webhook; the secret at its end is the value of the secret webhook-secret."
  value       = "/v1/otp/delivery-reports/<webhook-secret>"
}

output "next_steps" {
  description = "What to do now."
  value = var.image_tag == null ? join("\n", [
    "No task runs yet, because image_tag is not set. Next:",
    "1. deploy/aws/push-images.sh TAG    builds the images, pushes them, writes TAG to terraform/image.auto.tfvars",
    "2. deploy/aws/migrate.sh            brings the schemas up to date",
    "3. terraform apply                  starts the services",
    "4. allow-list ${join(", ", module.network.nat_public_ips)} for the key in the MSG91 panel",
    ]) : join("\n", [
    "Version ${var.image_tag} runs. The first operator:",
    "deploy/aws/run-task.sh admin-service create-admin --phone +91… --role owner",
  ])
}

output "cpu_architecture" {
  description = "What the images must be built for."
  value       = var.cpu_architecture
}
