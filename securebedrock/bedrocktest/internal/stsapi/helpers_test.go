package stsapi_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func assume() *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("session@host")}
}

func stsClient(s *bedrocktest.Server) *sts.Client {
	return sts.NewFromConfig(s.Config(), func(o *sts.Options) { o.RetryMaxAttempts = 1 })
}

const role = "arn:aws:iam::210987654321:role/app/reader"
