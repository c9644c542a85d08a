output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "public_subnet_cidrs" {
  description = "Addresses that the load balancer's nodes have."
  value       = [for subnet in aws_subnet.public : subnet.cidr_block]
}

output "private_subnet_ids" {
  description = "Subnets of the tasks."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "private_subnet_cidrs" {
  description = "Addresses that the tasks have."
  value       = [for subnet in aws_subnet.private : subnet.cidr_block]
}

output "database_subnet_ids" {
  description = "Subnets of the databases."
  value       = [for subnet in aws_subnet.database : subnet.id]
}

output "nat_public_ips" {
  description = "The addresses from which the services reach the internet."
  value       = [for address in aws_eip.nat : address.public_ip]
}
