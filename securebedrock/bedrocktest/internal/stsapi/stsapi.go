// Package stsapi answers AWS STS's query API: it decodes the form, checks the
// parameters and issues sessions.
package stsapi

import (
	"encoding/base32"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/keyring"
)

const (
	opAssumeRole  = "AssumeRole"
	OpWebIdentity = "AssumeRoleWithWebIdentity"
	opIdentity    = "GetCallerIdentity"
)

// Decode decodes a form of STS's query protocol.
func Decode(body []byte) (operation string, input any, err error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", nil, &wire.Error{Status: http.StatusBadRequest, Code: "MalformedInput", Message: err.Error()}
	}
	operation = form.Get("Action")
	duration, err := formInt(form, "DurationSeconds")
	if err != nil {
		return operation, nil, err
	}
	switch operation {
	case opAssumeRole:
		in := &sts.AssumeRoleInput{
			RoleArn:           formString(form, "RoleArn"),
			RoleSessionName:   formString(form, "RoleSessionName"),
			ExternalId:        formString(form, "ExternalId"),
			SourceIdentity:    formString(form, "SourceIdentity"),
			Policy:            formString(form, "Policy"),
			SerialNumber:      formString(form, "SerialNumber"),
			TokenCode:         formString(form, "TokenCode"),
			DurationSeconds:   duration,
			TransitiveTagKeys: formList(form, "TransitiveTagKeys"),
		}
		for i := 1; form.Has(fmt.Sprintf("Tags.member.%d.Key", i)); i++ {
			in.Tags = append(in.Tags, types.Tag{
				Key:   formString(form, fmt.Sprintf("Tags.member.%d.Key", i)),
				Value: aws.String(form.Get(fmt.Sprintf("Tags.member.%d.Value", i))),
			})
		}
		for i := 1; form.Has(fmt.Sprintf("PolicyArns.member.%d.arn", i)); i++ {
			in.PolicyArns = append(in.PolicyArns, types.PolicyDescriptorType{Arn: formString(form, fmt.Sprintf("PolicyArns.member.%d.arn", i))})
		}
		return operation, in, nil
	case OpWebIdentity:
		return operation, &sts.AssumeRoleWithWebIdentityInput{
			RoleArn:          formString(form, "RoleArn"),
			RoleSessionName:  formString(form, "RoleSessionName"),
			WebIdentityToken: formString(form, "WebIdentityToken"),
			ProviderId:       formString(form, "ProviderId"),
			Policy:           formString(form, "Policy"),
			DurationSeconds:  duration,
		}, nil
	case opIdentity:
		return operation, &sts.GetCallerIdentityInput{}, nil
	}
	return operation, nil, &wire.Error{Status: http.StatusBadRequest, Code: "InvalidAction", Message: "Could not find operation " + operation + " for version " + form.Get("Version")}
}

func formString(form url.Values, name string) *string {
	if form.Has(name) {
		return aws.String(form.Get(name))
	}
	return nil
}

func formInt(form url.Values, name string) (*int32, error) {
	if !form.Has(name) {
		return nil, nil
	}
	n, err := strconv.ParseInt(form.Get(name), 10, 32)
	if err != nil {
		return nil, &wire.Error{Status: http.StatusBadRequest, Code: "MalformedInput", Message: name + " is no number"}
	}
	return aws.Int32(int32(n)), nil
}

func formList(form url.Values, name string) []string {
	var list []string
	for i := 1; form.Has(fmt.Sprintf("%s.member.%d", name, i)); i++ {
		list = append(list, form.Get(fmt.Sprintf("%s.member.%d", name, i)))
	}
	return list
}

// Answer returns the result for an input that caller has signed. Every role of any
// account can be assumed, since the server knows no trust policy.
func Answer(keys *keyring.Keyring, input any, caller keyring.Key) (any, error) {
	switch in := input.(type) {
	case *sts.AssumeRoleInput:
		if err := checkAssumeRole(in, caller.Token != ""); err != nil {
			return nil, err
		}
		result := session(keys, *in.RoleArn, *in.RoleSessionName, in.DurationSeconds)
		result.XMLName.Local = "AssumeRoleResult"
		result.SourceIdentity = aws.ToString(in.SourceIdentity)
		return result, nil
	case *sts.AssumeRoleWithWebIdentityInput:
		if err := checkWebIdentity(in); err != nil {
			return nil, err
		}
		result := session(keys, *in.RoleArn, *in.RoleSessionName, in.DurationSeconds)
		result.XMLName.Local = "AssumeRoleWithWebIdentityResult"
		result.Subject, result.Provider = "bedrocktest", aws.ToString(in.ProviderId)
		return result, nil
	}
	return identityResult{Arn: caller.ARN, UserID: caller.UserID, Account: accountOf(caller.ARN)}, nil
}

type sessionResult struct {
	XMLName         xml.Name
	Credentials     sessionCredentials
	AssumedRoleUser struct {
		AssumedRoleID string `xml:"AssumedRoleId"`
		Arn           string
	}
	SourceIdentity string `xml:",omitempty"`
	Subject        string `xml:"SubjectFromWebIdentityToken,omitempty"`
	Provider       string `xml:",omitempty"`
}

type sessionCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type identityResult struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

// session issues a session of a role. The caller has checked the parameters.
func session(keys *keyring.Keyring, roleARN, name string, seconds *int32) sessionResult {
	duration := time.Hour
	if seconds != nil {
		duration = time.Duration(*seconds) * time.Second
	}
	role := roleARN[strings.LastIndex(roleARN, "/")+1:]
	userID := "AROA" + base32.StdEncoding.EncodeToString(ids.Random(10)) + ":" + name
	arn := fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", partitionOf(roleARN), accountOf(roleARN), role, name)
	id, session := keys.Issue(arn, userID, duration)
	result := sessionResult{Credentials: sessionCredentials{
		AccessKeyID:     id,
		SecretAccessKey: session.Secret,
		SessionToken:    session.Token,
		Expiration:      session.Expires.Format(time.RFC3339),
	}}
	result.AssumedRoleUser.Arn, result.AssumedRoleUser.AssumedRoleID = arn, userID
	return result
}

func partitionOf(arn string) string {
	if a, ok := region.ParseARN(arn); ok {
		return a.Partition
	}
	return "aws"
}

func accountOf(arn string) string {
	if a, ok := region.ParseARN(arn); ok {
		return a.Account
	}
	return ids.Account
}

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// EncodeResult returns the XML of an answer.
func EncodeResult(operation, requestID string, result any) ([]byte, error) {
	return xml.Marshal(struct {
		XMLName   xml.Name
		Result    any
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{xml.Name{Space: stsNamespace, Local: operation + "Response"}, result, requestID})
}

// EncodeError returns the status and the XML of an error. STS has older names for some
// errors of other services.
func EncodeError(requestID string, e *wire.Error) (int, []byte) {
	code, status := e.Code, e.Status
	switch code {
	case "MissingAuthenticationTokenException":
		code = "MissingAuthenticationToken"
	case "IncompleteSignatureException":
		code = "IncompleteSignature"
	case "InvalidSignatureException":
		code = "SignatureDoesNotMatch"
	case "UnrecognizedClientException":
		code = "InvalidClientTokenId"
	case "ExpiredTokenException":
		code = "ExpiredToken"
	case "ThrottlingException":
		code, status = "Throttling", http.StatusBadRequest
	case "InternalServerException":
		code = "InternalFailure"
	case "ServiceUnavailableException":
		code = "ServiceUnavailable"
	}
	type failure struct{ Type, Code, Message string }
	fault := failure{"Sender", code, e.Message}
	if status >= http.StatusInternalServerError {
		fault.Type = "Receiver"
	}
	// Strings always encode.
	body, _ := xml.Marshal(struct {
		XMLName   xml.Name
		Error     failure
		RequestID string `xml:"RequestId"`
	}{xml.Name{Space: stsNamespace, Local: "ErrorResponse"}, fault, requestID})
	return status, body
}
