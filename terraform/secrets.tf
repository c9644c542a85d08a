# Every secret: made by Secrets Manager, or given as an ephemeral variable, and written through write-only arguments, so
# that none is in the plan or the state. Raising a version makes a new one; Secrets Manager keeps the one before under
# the stage AWSPREVIOUS, from which the tasks read what must stay valid for a while.

locals {
  # Outside prod a name can be used again at once; in prod a deleted secret can be brought back for a month.
  recovery_days = var.environment == "prod" ? 30 : 0
}

# --- Passwords of the databases ---------------------------------------------------------------------------------------

ephemeral "aws_secretsmanager_random_password" "database" {
  for_each            = local.contract
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "database" {
  #checkov:skip=CKV2_AWS_57:Rotation is raising db_credentials_version, which replaces the tasks in the same apply; a timer would change the password under running tasks
  for_each                = local.contract
  name                    = "${local.name}/${each.key}/database"
  description             = "User and password of the database of ${each.key}"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = local.recovery_days
}

resource "aws_secretsmanager_secret_version" "database" {
  for_each  = local.contract
  secret_id = aws_secretsmanager_secret.database[each.key].id
  secret_string_wo = jsonencode({
    username = "postkey"
    password = ephemeral.aws_secretsmanager_random_password.database[each.key].random_password
  })
  secret_string_wo_version = var.db_credentials_version
}

# Read back, so that the secret is what counts: an apply that ends halfway cannot leave a password that nobody has.
ephemeral "aws_secretsmanager_secret_version" "database" {
  for_each   = local.contract
  secret_id  = aws_secretsmanager_secret_version.database[each.key].secret_id
  version_id = aws_secretsmanager_secret_version.database[each.key].version_id
}

# --- Keys of the services ---------------------------------------------------------------------------------------------

locals {
  generated = {
    token-key      = { version = var.token_key_version, description = "JWT_SECRET_KEY, the same in all services" }
    otp-key        = { version = var.otp_key_version, description = "OTP_SECRET_KEY, from which codes are derived" }
    webhook-secret = { version = 1, description = "MSG91_WEBHOOK_SECRET, the secret part of the delivery reports' URL" }
  }
}

# With EdDSA: 32 bytes are an Ed25519 key (RFC 8032 §5.1.5), which the service reads as base64.
locals {
  private_key = toset(var.token_algorithm == "EdDSA" ? ["private-key"] : [])
}

ephemeral "aws_secretsmanager_random_password" "private_key" {
  for_each            = local.private_key
  password_length     = 32
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "private_key" {
  #checkov:skip=CKV2_AWS_57:Rotation is raising private_key_version; the value before stays valid through AWSPREVIOUS
  for_each                = local.private_key
  name                    = "${local.name}/private-key"
  description             = "JWT_PRIVATE_KEY, with which user-service signs access tokens"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = local.recovery_days
}

resource "aws_secretsmanager_secret_version" "private_key" {
  for_each                 = local.private_key
  secret_id                = aws_secretsmanager_secret.private_key[each.key].id
  secret_string_wo         = base64encode(ephemeral.aws_secretsmanager_random_password.private_key[each.key].random_password)
  secret_string_wo_version = var.private_key_version
}

ephemeral "aws_secretsmanager_random_password" "generated" {
  for_each            = local.generated
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "generated" {
  #checkov:skip=CKV2_AWS_57:Rotation is raising the version variable; the value before stays valid through AWSPREVIOUS
  for_each                = local.generated
  name                    = "${local.name}/${each.key}"
  description             = each.value.description
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = local.recovery_days
}

resource "aws_secretsmanager_secret_version" "generated" {
  for_each                 = local.generated
  secret_id                = aws_secretsmanager_secret.generated[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.generated[each.key].random_password
  secret_string_wo_version = each.value.version
}

resource "aws_secretsmanager_secret" "msg91" {
  #checkov:skip=CKV2_AWS_57:MSG91 makes its keys; a new one is stored by raising msg91_secret_version
  name                    = "${local.name}/msg91"
  description             = "MSG91_AUTH_KEY"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = local.recovery_days
}

resource "aws_secretsmanager_secret_version" "msg91" {
  secret_id                = aws_secretsmanager_secret.msg91.id
  secret_string_wo         = var.msg91_auth_key
  secret_string_wo_version = var.msg91_secret_version
}

# --- Which service reads what -----------------------------------------------------------------------------------------

locals {
  token_key = merge(
    { JWT_SECRET_KEY = aws_secretsmanager_secret.generated["token-key"].arn },
    var.token_key_version > 1 ? { JWT_PREVIOUS_SECRET_KEY = "${aws_secretsmanager_secret.generated["token-key"].arn}::AWSPREVIOUS:" } : {},
  )
  otp_key = merge(
    { OTP_SECRET_KEY = aws_secretsmanager_secret.generated["otp-key"].arn },
    var.otp_key_version > 1 ? { OTP_PREVIOUS_SECRET_KEY = "${aws_secretsmanager_secret.generated["otp-key"].arn}::AWSPREVIOUS:" } : {},
  )
  # libpq takes the password from PGPASSWORD where the URL has none.
  secrets = {
    for name in keys(local.contract) : name => merge(
      local.token_key,
      { PGPASSWORD = "${aws_secretsmanager_secret.database[name].arn}:password::" },
      name == "otp-service" ? merge(local.otp_key, {
        MSG91_AUTH_KEY       = aws_secretsmanager_secret.msg91.arn
        MSG91_WEBHOOK_SECRET = aws_secretsmanager_secret.generated["webhook-secret"].arn
      }) : {},
      name == "user-service" ? merge(
        { for secret in aws_secretsmanager_secret.private_key : "JWT_PRIVATE_KEY" => secret.arn },
        { for secret in aws_secretsmanager_secret.private_key : "JWT_PREVIOUS_PRIVATE_KEY" => "${secret.arn}::AWSPREVIOUS:" if var.private_key_version > 1 },
      ) : {},
    )
  }
  secret_arns = {
    for name in keys(local.contract) : name => concat(
      [aws_secretsmanager_secret.database[name].arn, aws_secretsmanager_secret.generated["token-key"].arn],
      name == "otp-service" ? [
        aws_secretsmanager_secret.generated["otp-key"].arn, aws_secretsmanager_secret.generated["webhook-secret"].arn, aws_secretsmanager_secret.msg91.arn,
      ] : [],
      name == "user-service" ? [for secret in aws_secretsmanager_secret.private_key : secret.arn] : [],
    )
  }
  # A task reads its secrets when it starts: these numbers are in its definition, so that it is replaced when one changes.
  secret_versions = join(".", [var.db_credentials_version, var.token_key_version, var.otp_key_version, var.msg91_secret_version, var.private_key_version])
}
