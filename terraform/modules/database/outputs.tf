output "endpoint" {
  description = "The host of the writer."
  value       = local.is_aurora ? aws_rds_cluster.this[0].endpoint : aws_db_instance.this[0].address
}

output "reader_endpoint" {
  description = "The host of the readers; the writer's where there are none."
  value       = local.is_aurora ? aws_rds_cluster.this[0].reader_endpoint : aws_db_instance.this[0].address
}

output "alarm_dimension" {
  description = "How CloudWatch names it."
  value       = local.is_aurora ? { DBClusterIdentifier = aws_rds_cluster.this[0].cluster_identifier } : { DBInstanceIdentifier = aws_db_instance.this[0].identifier }
}
