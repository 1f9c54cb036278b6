package session

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
)

// Expired recognises the answer to credentials that are over:
// ExpiredTokenException of Bedrock and ExpiredToken of STS (their "Common Errors"),
// or another code with their message. RequestExpired is not among them: it is about
// the clock.
func Expired(err error) bool {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.ErrorCode() {
	case "ExpiredTokenException", "ExpiredToken":
		return true
	}
	return strings.Contains(answer.ErrorMessage(), "security token included in the request is expired")
}

// Renew makes a provider forget the credentials with accessKey, and reports
// whether it may give others. Credentials that another call has renewed meanwhile
// are kept.
func Renew(ctx context.Context, p aws.CredentialsProvider, accessKey string) bool {
	if aws.IsCredentialsProvider(p, credentials.StaticCredentialsProvider{}) {
		return false
	}
	cache, ok := p.(interface{ Invalidate() })
	if !ok {
		return true // it is asked for each attempt
	}
	if now, err := p.Retrieve(ctx); accessKey == "" || err == nil && now.AccessKeyID == accessKey {
		cache.Invalidate()
	}
	return true
}
