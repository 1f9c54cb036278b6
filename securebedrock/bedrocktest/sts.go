package bedrocktest

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
)

const (
	opAssumeRole  = "AssumeRole"
	opWebIdentity = "AssumeRoleWithWebIdentity"
	opIdentity    = "GetCallerIdentity"
)

// decodeSTS decodes the form that STS's query protocol posts.
func decodeSTS(r *request) (any, error) {
	form, err := url.ParseQuery(string(r.body))
	if err != nil {
		return nil, &apiError{status: http.StatusBadRequest, code: "MalformedInput", message: err.Error()}
	}
	r.call.Operation = form.Get("Action")
	duration, err := formInt(form, "DurationSeconds")
	if err != nil {
		return nil, err
	}
	switch r.call.Operation {
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
		return in, nil
	case opWebIdentity:
		return &sts.AssumeRoleWithWebIdentityInput{
			RoleArn:          formString(form, "RoleArn"),
			RoleSessionName:  formString(form, "RoleSessionName"),
			WebIdentityToken: formString(form, "WebIdentityToken"),
			ProviderId:       formString(form, "ProviderId"),
			Policy:           formString(form, "Policy"),
			DurationSeconds:  duration,
		}, nil
	case opIdentity:
		return &sts.GetCallerIdentityInput{}, nil
	}
	return nil, &apiError{status: http.StatusBadRequest, code: "InvalidAction", message: "Could not find operation " + r.call.Operation + " for version " + form.Get("Version")}
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
		return nil, &apiError{status: http.StatusBadRequest, code: "MalformedInput", message: name + " is no number"}
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

// sts answers STS's operations. Every role of any account can be assumed: a
// trust policy is not this server's to know.
func (s *Server) sts(w http.ResponseWriter, r *request) error {
	switch in := r.call.Input.(type) {
	case *sts.AssumeRoleInput:
		if err := checkAssumeRole(in, r.auth.key.token != ""); err != nil {
			return err
		}
		result := s.session(*in.RoleArn, *in.RoleSessionName, in.DurationSeconds)
		result.XMLName.Local = "AssumeRoleResult"
		result.SourceIdentity = aws.ToString(in.SourceIdentity)
		return s.sendSTS(w, r, opAssumeRole, result)
	case *sts.AssumeRoleWithWebIdentityInput:
		if err := checkWebIdentity(in); err != nil {
			return err
		}
		result := s.session(*in.RoleArn, *in.RoleSessionName, in.DurationSeconds)
		result.XMLName.Local = "AssumeRoleWithWebIdentityResult"
		result.Subject, result.Provider = "bedrocktest", aws.ToString(in.ProviderId)
		return s.sendSTS(w, r, opWebIdentity, result)
	}
	return s.sendSTS(w, r, opIdentity, identityResult{Arn: r.auth.key.arn, UserID: r.auth.key.userID, Account: accountOf(r.auth.key.arn)})
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

// session issues a session of a role that has been checked.
func (s *Server) session(roleARN, name string, seconds *int32) sessionResult {
	duration := time.Hour
	if seconds != nil {
		duration = time.Duration(*seconds) * time.Second
	}
	role := roleARN[strings.LastIndex(roleARN, "/")+1:]
	userID := "AROA" + base32.StdEncoding.EncodeToString(random(10)) + ":" + name
	arn := fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", partitionOf(roleARN), accountOf(roleARN), role, name)
	id, session := s.keys.issue(arn, userID, duration)
	result := sessionResult{Credentials: sessionCredentials{
		AccessKeyID:     id,
		SecretAccessKey: session.secret,
		SessionToken:    session.token,
		Expiration:      session.expires.Format(time.RFC3339),
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
	return accountID
}

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

func (s *Server) sendSTS(w http.ResponseWriter, r *request, operation string, result any) error {
	if r.fault.kind == faultException {
		return exceptionError(r.fault.code, r.fault.message)
	}
	body, err := xml.Marshal(struct {
		XMLName   xml.Name
		Result    any
		RequestID string `xml:"ResponseMetadata>RequestId"`
	}{xml.Name{Space: stsNamespace, Local: operation + "Response"}, result, r.id})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/xml")
	s.send(w, r, http.StatusOK, body)
	return nil
}

func (s *Server) failSTS(w http.ResponseWriter, r *request, e *apiError) {
	// STS has older names for what its younger siblings say.
	code, status := e.code, e.status
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
	fault := failure{"Sender", code, e.message}
	if status >= http.StatusInternalServerError {
		fault.Type = "Receiver"
	}
	// Strings always encode.
	body, _ := xml.Marshal(struct {
		XMLName   xml.Name
		Error     failure
		RequestID string `xml:"RequestId"`
	}{xml.Name{Space: stsNamespace, Local: "ErrorResponse"}, fault, r.id})
	w.Header().Set("Content-Type", "text/xml")
	r.fault = Fault{}
	s.send(w, r, status, body)
}
