# A bucket for the states of all environments, made once, with its own small state kept beside this file:
# terraform -chdir=terraform/bootstrap init && terraform -chdir=terraform/bootstrap apply -var bucket=…
# Then copy backend.tf.example to backend.tf and name the bucket there.

variable "bucket" {
  description = "Name of the bucket; unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be 3 to 63 small letters, digits, dots and hyphens."
  }
}

variable "aws_region" {
  description = "Where the bucket is."
  type        = string
  default     = "ap-south-1"
}

provider "aws" {
  region = var.aws_region
}

resource "aws_s3_bucket" "states" {
  #checkov:skip=CKV_AWS_18:Who reads a state is in CloudTrail; no secret is in it
  #checkov:skip=CKV_AWS_144:A state can be made again by import
  #checkov:skip=CKV_AWS_145:No secret is in a state; the key of S3 is enough
  #checkov:skip=CKV2_AWS_62:Nothing waits for a state
  bucket = var.bucket

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "states" {
  bucket = aws_s3_bucket.states.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "states" {
  bucket = aws_s3_bucket.states.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "states" {
  bucket                  = aws_s3_bucket.states.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "states" {
  bucket = aws_s3_bucket.states.id
  rule {
    id     = "old-versions"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = 90
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
  depends_on = [aws_s3_bucket_versioning.states]
}

data "aws_iam_policy_document" "states" {
  statement {
    sid       = "OnlyWithTLS"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.states.arn, "${aws_s3_bucket.states.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "states" {
  bucket     = aws_s3_bucket.states.id
  policy     = data.aws_iam_policy_document.states.json
  depends_on = [aws_s3_bucket_public_access_block.states]
}

output "bucket" {
  description = "The bucket, for backend.tf."
  value       = aws_s3_bucket.states.id
}
