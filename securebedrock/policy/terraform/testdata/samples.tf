# Policies for Amazon Bedrock, derived from the configuration of the client.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.26"
    }
  }
}

# Lets a test see the kind managed, ${var.x} and "quotes" included, resource
# "aws_iam_user" "evil" {}
# Attach it to nothing.
resource "aws_iam_policy" "invoke" {
  name   = "invoke"
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

# Lets a test see the kind boundary, ${var.x} and "quotes" included, resource
# "aws_iam_user" "evil" {}
# Attach it to nothing.
resource "aws_iam_policy" "boundary" {
  name   = "boundary"
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

# Lets a test see the kind inline, ${var.x} and "quotes" included, resource "aws_iam_user"
# "evil" {}
# Attach it to nothing.
resource "aws_iam_role_policy" "inline" {
  name   = "inline"
  role   = var.inline_role
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

variable "inline_role" {
  type        = string
  description = "The role of the document inline"
}

# Lets a test see the kind session, ${var.x} and "quotes" included, resource
# "aws_iam_user" "evil" {}
# Attach it to nothing.
output "session" {
  description = "Lets a test see the kind session, $${var.x} and \"quotes\" included,\nresource \"aws_iam_user\" \"evil\" {}"
  value       = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

# Lets a test see the kind trust, ${var.x} and "quotes" included, resource "aws_iam_user"
# "evil" {}
# Attach it to nothing.
resource "aws_iam_role" "trust" {
  name               = var.trust_role
  assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

variable "trust_role" {
  type        = string
  description = "The name of the role of the document trust"
}

# Lets a test see the kind scp, ${var.x} and "quotes" included, resource "aws_iam_user"
# "evil" {}
# Attach it to nothing.
resource "aws_organizations_policy" "scp_regions" {
  name        = "scp-regions"
  description = "Lets a test see the kind scp, $${var.x} and \"quotes\" included,\nresource \"aws_iam_user\" \"evil\" {}"
  type        = "SERVICE_CONTROL_POLICY"
  content     = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

# Lets a test see the kind rcp, ${var.x} and "quotes" included, resource "aws_iam_user"
# "evil" {}
# Attach it to nothing.
resource "aws_organizations_policy" "rcp" {
  name        = "rcp"
  description = "Lets a test see the kind rcp, $${var.x} and \"quotes\" included,\nresource \"aws_iam_user\" \"evil\" {}"
  type        = "RESOURCE_CONTROL_POLICY"
  content     = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

# Lets a test see the kind endpoint, ${var.x} and "quotes" included, resource
# "aws_iam_user" "evil" {}
# Attach it to nothing.
resource "aws_vpc_endpoint_policy" "endpoint_bedrock_runtime" {
  vpc_endpoint_id = var.endpoint_bedrock_runtime_id
  policy          = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

variable "endpoint_bedrock_runtime_id" {
  type        = string
  description = "The ID of the VPC endpoint of the document endpoint-bedrock-runtime"
}

# Lets a test see the kind key, ${var.x} and "quotes" included, resource "aws_iam_user"
# "evil" {}
# Attach it to nothing.
resource "aws_kms_key_policy" "key" {
  key_id = var.key_id
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

variable "key_id" {
  type        = string
  description = "The ID of the key of the document key"
}

# Lets a test see the kind bucket, ${var.x} and "quotes" included, resource "aws_iam_user"
# "evil" {}
# Attach it to nothing.
resource "aws_s3_bucket_policy" "bucket" {
  bucket = "logs-123"
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":[\"arn:aws:s3:::logs-123\",\"arn:aws:s3:::logs-123/*\"],\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

# Lets a test see the kind bucket, ${var.x} and "quotes" included, resource "aws_iam_user"
# "evil" {}
# Attach it to nothing.
resource "aws_s3_bucket_policy" "buckets" {
  bucket = var.buckets_bucket
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":[\"arn:aws:s3:::a\",\"arn:aws:s3:::b\"],\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

variable "buckets_bucket" {
  type        = string
  description = "The bucket of the document buckets"
}

# Lets a test see the kind guardrail, ${var.x} and "quotes" included, resource
# "aws_iam_user" "evil" {}
# Attach it to nothing.
output "guardrail" {
  description = "Lets a test see the kind guardrail, $${var.x} and \"quotes\" included,\nresource \"aws_iam_user\" \"evil\" {}"
  value       = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

# Lets a test see the kind logs, ${var.x} and "quotes" included, resource "aws_iam_user"
# "evil" {}
# Attach it to nothing.
resource "aws_cloudwatch_log_resource_policy" "logs" {
  policy_name     = "logs"
  policy_document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Sample\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/team\":[\"$${aws:PrincipalTag/team}\",\"$$${x}\",\"%%{if true}\",\"%%%{\",\"a<b&c\\\"d\\\\e\\té\",\"$\",\"$${\"]}}}]}"
}

# Lets a test see the kind bedrock, ${var.x} and "quotes" included, resource
# "aws_iam_user" "evil" {}
# Attach it to nothing.
resource "aws_organizations_policy" "bedrock_policy" {
  name        = "bedrock-policy"
  description = "Lets a test see the kind bedrock, $${var.x} and \"quotes\" included,\nresource \"aws_iam_user\" \"evil\" {}"
  type        = "BEDROCK_POLICY"
  content     = "{\"bedrock\":{\"guardrail_inference\":{\"eu-central-1\":{\"config_1\":{\"identifier\":{\"@@assign\":\"arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123:3\"},\"selective_content_guarding\":{\"system\":{\"@@assign\":\"comprehensive\"},\"messages\":{\"@@assign\":\"comprehensive\"}},\"model_enforcement\":{\"included_models\":{\"@@assign\":[\"ALL\"]},\"excluded_models\":{\"@@assign\":[]}}}}}}}"
}
