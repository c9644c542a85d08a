# Who is told of what. docs/operations.md says for each alarm what to do.

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsAndBudgetsPublish"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]
    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each  = toset(var.alarm_emails)
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

# --- Load balancer ----------------------------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each            = var.target_groups
  alarm_name          = "${var.name}-${each.key}-errors"
  alarm_description   = "ErrorBudgetBurnsFast: more than 2 % of the requests to ${each.key} fail."
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "share"
    label       = "Failed requests, %"
    expression  = "100 * errors / requests"
    return_data = true
  }

  metric_query {
    id = "errors"
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "HTTPCode_Target_5XX_Count"
      period      = 60
      stat        = "Sum"
      dimensions  = { LoadBalancer = var.load_balancer, TargetGroup = each.value }
    }
  }

  metric_query {
    id = "requests"
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      period      = 60
      stat        = "Sum"
      dimensions  = { LoadBalancer = var.load_balancer, TargetGroup = each.value }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  for_each            = var.target_groups
  alarm_name          = "${var.name}-${each.key}-latency"
  alarm_description   = "RequestsAreSlow: one request in twenty to ${each.key} takes more than half a second."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  dimensions          = { LoadBalancer = var.load_balancer, TargetGroup = each.value }
  extended_statistic  = "p95"
  period              = 60
  evaluation_periods  = 10
  threshold           = 0.5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each            = var.target_groups
  alarm_name          = "${var.name}-${each.key}-unhealthy"
  alarm_description   = "ServiceDown: a task of ${each.key} does not answer."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  dimensions          = { LoadBalancer = var.load_balancer, TargetGroup = each.value }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# --- Tasks ------------------------------------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "task" {
  for_each            = { for pair in setproduct(keys(var.services), ["CPUUtilization", "MemoryUtilization"]) : "${pair[0]}-${pair[1]}" => { service = pair[0], metric = pair[1] } }
  alarm_name          = "${var.name}-${each.value.service}-${lower(each.value.metric)}"
  alarm_description   = "${each.value.service} is at its limit although it may grow: raise max_count, cpu or memory."
  namespace           = "AWS/ECS"
  metric_name         = each.value.metric
  dimensions          = { ClusterName = var.cluster_name, ServiceName = var.services[each.value.service].service_name }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 10
  threshold           = 85
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# --- Deliveries: lines of otp-service's log ---------------------------------------------------------------------------

resource "aws_cloudwatch_log_metric_filter" "refused" {
  name           = "${var.name}-gateway-refusals"
  log_group_name = var.services["otp-service"].log_group_name
  pattern        = "?\"gateway refused a message\" ?\"gave a message up\""

  metric_transformation {
    namespace     = "Postkey/${var.name}"
    name          = "DeliveriesFailed"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "deliveries" {
  alarm_name          = "${var.name}-deliveries-fail"
  alarm_description   = "DeliveriesFail: MSG91 does not take codes (key, balance, template, or these addresses are not allow-listed)."
  namespace           = "Postkey/${var.name}"
  metric_name         = "DeliveriesFailed"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# What otp-service logs once, when it begins: the alarm tells of the beginning, the log of the end.
locals {
  log_alarms = {
    gateway-refuses     = { metric = "GatewayRefuses", pattern = "?\"gateway circuit open\" ?\"self-test of the gateway failed\"", alarm_description = "GatewayCircuitOpen: MSG91 refuses all messages; the line of the log says why and what to do." }
    gateway-unreachable = { metric = "GatewayUnreachable", pattern = "?\"gateway out of reach\"", alarm_description = "GatewayUnreachable: MSG91 does not answer; codes are lost until the log says that it answers again." }
    budget-used-up      = { metric = "BudgetUsedUp", pattern = "?\"the daily budget of messages is used up\"", alarm_description = "BudgetIsUsedUp: no code is sent before midnight UTC." }
  }
}

resource "aws_cloudwatch_log_metric_filter" "line" {
  for_each       = local.log_alarms
  name           = "${var.name}-${each.key}"
  log_group_name = var.services["otp-service"].log_group_name
  pattern        = each.value.pattern

  metric_transformation {
    namespace     = "Postkey/${var.name}"
    name          = each.value.metric
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "line" {
  for_each            = local.log_alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.alarm_description
  namespace           = "Postkey/${var.name}"
  metric_name         = each.value.metric
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# --- Databases --------------------------------------------------------------------------------------------------------

locals {
  database_alarms = merge(
    { for name, database in var.databases : "${name}-cpu" => { database = database, metric = "CPUUtilization", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 80, periods = 10, text = "is busy" } },
    { for name, database in var.databases : "${name}-connections" => { database = database, metric = "DatabaseConnections", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = floor(database.max_connections * 0.8), periods = 5, text = "has nearly all of its connections taken" } },
    { for name, database in var.databases : "${name}-memory" => { database = database, metric = "FreeableMemory", statistic = "Average", comparison = "LessThanThreshold", threshold = 134217728, periods = 10, text = "has less than 128 MiB of memory left" } },
    { for name, database in var.databases : "${name}-storage" => { database = database, metric = "FreeStorageSpace", statistic = "Minimum", comparison = "LessThanThreshold", threshold = 2147483648, periods = 5, text = "has less than 2 GiB of storage left" } if !database.is_aurora },
  )
}

resource "aws_cloudwatch_metric_alarm" "database" {
  for_each            = local.database_alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "The database ${each.value.text}."
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = each.value.database.dimension
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = each.value.comparison
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# --- Firewall ---------------------------------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "blocked" {
  count               = var.web_acl_name == null ? 0 : 1
  alarm_name          = "${var.name}-blocked-requests"
  alarm_description   = "ManySendsAreLimited: the firewall blocks more than a thousand requests in five minutes."
  namespace           = "AWS/WAFV2"
  metric_name         = "BlockedRequests"
  dimensions          = { WebACL = var.web_acl_name, Region = var.aws_region, Rule = "ALL" }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 2
  threshold           = 1000
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# --- Costs ------------------------------------------------------------------------------------------------------------

resource "aws_budgets_budget" "this" {
  count        = var.monthly_budget_usd > 0 ? 1 : 0
  name         = var.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "notification" {
    for_each = [{ type = "ACTUAL", threshold = 80 }, { type = "ACTUAL", threshold = 100 }, { type = "FORECASTED", threshold = 100 }]
    content {
      notification_type          = notification.value.type
      threshold                  = notification.value.threshold
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.alarm_emails
    }
  }
}
