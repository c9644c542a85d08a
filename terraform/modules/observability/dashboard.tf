locals {
  graph = { view = "timeSeries", region = var.aws_region, stacked = false, period = 60 }
  widgets = [
    merge(local.graph, { title = "Requests", stat = "Sum", metrics = [for name, group in var.target_groups : ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.load_balancer, "TargetGroup", group, { label = name }]] }),
    merge(local.graph, { title = "Server errors", stat = "Sum", metrics = [for name, group in var.target_groups : ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", var.load_balancer, "TargetGroup", group, { label = name }]] }),
    merge(local.graph, { title = "Latency, p95 (s)", stat = "p95", metrics = [for name, group in var.target_groups : ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.load_balancer, "TargetGroup", group, { label = name }]] }),
    merge(local.graph, { title = "Deliveries that failed", stat = "Sum", metrics = [["Postkey/${var.name}", "DeliveriesFailed"]] }),
    merge(local.graph, { title = "CPU of the tasks (%)", stat = "Average", metrics = [for name, service in var.services : ["AWS/ECS", "CPUUtilization", "ClusterName", var.cluster_name, "ServiceName", service.service_name, { label = name }]] }),
    merge(local.graph, { title = "Memory of the tasks (%)", stat = "Average", metrics = [for name, service in var.services : ["AWS/ECS", "MemoryUtilization", "ClusterName", var.cluster_name, "ServiceName", service.service_name, { label = name }]] }),
    merge(local.graph, { title = "CPU of the databases (%)", stat = "Average", metrics = [for name, database in var.databases : concat(["AWS/RDS", "CPUUtilization"], flatten([for key, value in database.dimension : [key, value]]), [{ label = name }])] }),
    merge(local.graph, { title = "Connections of the databases", stat = "Maximum", metrics = [for name, database in var.databases : concat(["AWS/RDS", "DatabaseConnections"], flatten([for key, value in database.dimension : [key, value]]), [{ label = name }])] }),
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type = "metric", width = 12, height = 6, x = index % 2 * 12, y = floor(index / 2) * 6, properties = widget
    }]
  })
}
