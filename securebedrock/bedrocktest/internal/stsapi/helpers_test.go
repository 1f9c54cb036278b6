package stsapi_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func assume() *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("session@host")}
}

func stsClient(s *bedrocktest.Server) *sts.Client {
	return sts.NewFromConfig(s.Config(), func(o *sts.Options) { o.RetryMaxAttempts = 1 })
}

// wantCode asserts an error of the service, with its code and status.
func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Fatalf("error %v, want status %d", err, status)
	}
	if response.RequestID == "" {
		t.Errorf("error %v has no request ID", err)
	}
}

const role = "arn:aws:iam::210987654321:role/app/reader"
