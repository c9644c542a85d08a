# The task: what it may do, and how many run before there is an image.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.ap-south-1.amazonaws.com/postkey-test/otp-service", arn = "arn:aws:ecr:ap-south-1:123456789012:repository/otp" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-south-1:123456789012:log-group:otp" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:ap-south-1:123456789012:task-definition/otp:1" }
  }
  mock_resource "aws_service_discovery_service" {
    defaults = { arn = "arn:aws:servicediscovery:ap-south-1:123456789012:service/srv-1" }
  }
}

variables {
  name                  = "postkey-test"
  service               = "otp-service"
  environment           = "dev"
  aws_region            = "ap-south-1"
  port                  = 8081
  cluster_name          = "postkey-test"
  cluster_arn           = "arn:aws:ecs:ap-south-1:123456789012:cluster/postkey-test"
  namespace_id          = "ns-1"
  subnet_ids            = ["subnet-1", "subnet-2"]
  security_group_id     = "sg-1"
  target_group_arn      = "arn:aws:elasticloadbalancing:ap-south-1:123456789012:targetgroup/otp/1234567890abcdef"
  kms_key_arn           = "arn:aws:kms:ap-south-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  image_tag             = null
  cpu_architecture      = "ARM64"
  cpu                   = 256
  memory                = 512
  min_count             = 2
  max_count             = 6
  log_retention_days    = 30
  wait                  = true
  container_environment = { PORT = "8081", HOST = "0.0.0.0" }
  secrets               = { JWT_SECRET_KEY = "arn:aws:secretsmanager:ap-south-1:123456789012:secret:token-key" }
  secret_arns           = ["arn:aws:secretsmanager:ap-south-1:123456789012:secret:token-key"]
  secret_versions       = "1.1.1.1"
}

run "without_an_image_nothing_runs_and_nobody_waits" {
  assert {
    condition     = length(aws_ecs_service.this) == 0 && length(aws_appautoscaling_target.this) == 0 && length(aws_appautoscaling_policy.this) == 0
    error_message = "The first apply must not wait for tasks that cannot start."
  }
}

run "with_an_image_it_runs_and_rolls_back_by_itself" {
  variables {
    image_tag = "abc1234"
  }
  assert {
    condition     = aws_ecs_service.this[0].desired_count == 2 && aws_appautoscaling_target.this[0].max_capacity == 6 && aws_ecs_service.this[0].wait_for_steady_state
    error_message = "Two tasks at least, six at most."
  }
  assert {
    condition     = one(aws_ecs_service.this[0].deployment_circuit_breaker).rollback && aws_ecs_service.this[0].deployment_minimum_healthy_percent == 100
    error_message = "A version that does not start must be rolled back, and the old one serve meanwhile."
  }
}

run "the_container_is_locked_down" {
  variables {
    image_tag = "abc1234"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.serve.container_definitions)[0].readonlyRootFilesystem && jsondecode(aws_ecs_task_definition.serve.container_definitions)[0].user == "10001:10001"
    error_message = "Read-only root, numeric user."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.serve.container_definitions)[0].healthCheck.command == ["CMD", "/app/otp-service", "health"]
    error_message = "The service itself is its health check."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.migrate.container_definitions)[0].command == ["migrate"] && !can(jsondecode(aws_ecs_task_definition.migrate.container_definitions)[0].portMappings)
    error_message = "The migration task migrates and listens nowhere."
  }
  assert {
    condition     = !can(regex("JWT_SECRET_KEY\",\"value\"", aws_ecs_task_definition.serve.container_definitions))
    error_message = "Secrets come by reference."
  }
}
