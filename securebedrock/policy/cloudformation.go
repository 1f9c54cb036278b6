package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// CloudFormation returns a template, in JSON, of the documents. The same documents give
// the same bytes. Each document stands in the template as it is: CloudFormation replaces
// "${…}" in the argument of Fn::Sub only, and no document is one, so that IAM reads the
// variable "${aws:PrincipalTag/team}".
//
// A managed policy and a permissions boundary become an AWS::IAM::ManagedPolicy, which
// nothing is attached to; a trust policy becomes an AWS::IAM::Role without policies. A
// key policy becomes an AWS::KMS::Key, and an endpoint policy an AWS::EC2::VPCEndpoint,
// since neither policy is a resource of its own. Both are made only where a parameter
// of the stack says so. The metadata of the template names what CloudFormation cannot
// hold and why.
//
// Service control policies belong in a stack of the management account, the other
// documents in a stack of the account: WriteDir writes two templates. A template of more
// than 51,200 bytes is given to CloudFormation by way of a bucket.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
func CloudFormation(docs []Document) ([]byte, error) {
	t := stack{Version: "2010-09-09", Description: "Policies for Amazon Bedrock, derived from the configuration of the client",
		Parameters: map[string]parameter{}, Conditions: map[string]any{}, Resources: map[string]resource{}}
	taken := map[string]bool{}
	left := map[string]string{}
	for _, d := range docs {
		if err := literal(d); err != nil {
			return nil, err
		}
		id := logicalID(d.Name, taken)
		if why := t.add(id, d); why != "" {
			left[d.Name] = why
		}
	}
	if len(left) > 0 {
		t.Metadata = map[string]any{"NotInThisTemplate": left}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // an escaped < is the same JSON, and six characters
	enc.SetIndent("", "  ")
	if err := enc.Encode(t); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// stack is a CloudFormation template.
type stack struct {
	Version     string               `json:"AWSTemplateFormatVersion"`
	Description string               `json:"Description"`
	Metadata    map[string]any       `json:"Metadata,omitempty"`
	Parameters  map[string]parameter `json:"Parameters,omitempty"`
	Conditions  map[string]any       `json:"Conditions,omitempty"`
	Resources   map[string]resource  `json:"Resources"`
}

type parameter struct {
	Type          string   `json:"Type"`
	Description   string   `json:"Description"`
	Default       *string  `json:"Default,omitempty"`
	AllowedValues []string `json:"AllowedValues,omitempty"`
}

type resource struct {
	Type       string            `json:"Type"`
	Condition  string            `json:"Condition,omitempty"`
	Deletion   string            `json:"DeletionPolicy,omitempty"`
	Replace    string            `json:"UpdateReplacePolicy,omitempty"`
	Metadata   map[string]string `json:"Metadata"`
	Properties map[string]any    `json:"Properties"`
}

// add makes the resource of a document. The answer is the reason why there is none.
func (t *stack) add(id string, d Document) (why string) {
	r := resource{Metadata: map[string]string{"Document": d.Name, "Purpose": d.Purpose, "Attach": d.Attach}}
	text := json.RawMessage(d.JSON())
	ref := func(p string) any { return map[string]string{"Ref": p} }
	switch d.Kind {
	case KindManaged, KindBoundary:
		// The description of a managed policy cannot be changed, so that a new reason
		// would replace the policy. The metadata carries it.
		r.Type, r.Properties = "AWS::IAM::ManagedPolicy", map[string]any{"PolicyDocument": text}
	case KindInline:
		t.Parameters[id+"RoleName"] = parameter{Type: "String", Description: "The role that the policy " + d.Name + " is a part of"}
		r.Type, r.Properties = "AWS::IAM::RolePolicy", map[string]any{"PolicyName": d.Name, "RoleName": ref(id + "RoleName"), "PolicyDocument": text}
	case KindTrust:
		r.Type, r.Properties = "AWS::IAM::Role", map[string]any{"AssumeRolePolicyDocument": text}
	case KindSCP, KindRCP:
		r.Type, r.Properties = "AWS::Organizations::Policy", map[string]any{
			"Name": d.Name, "Description": shorten(d.Purpose, 512), "Type": "SERVICE_CONTROL_POLICY", "Content": text}
		if d.Kind == KindRCP {
			r.Properties["Type"] = "RESOURCE_CONTROL_POLICY"
		}
	case KindEndpoint:
		t.endpoint(&r, id, d)
	case KindKey:
		t.Parameters["CreateKeys"] = parameter{Type: "String", Default: new(string), AllowedValues: []string{"", "yes"},
			Description: "yes makes a new KMS key for each key policy; empty makes none"}
		t.Conditions["CreatesKeys"] = map[string]any{"Fn::Equals": []any{ref("CreateKeys"), "yes"}}
		r.Type, r.Condition, r.Deletion, r.Replace = "AWS::KMS::Key", "CreatesKeys", "Retain", "Retain"
		r.Properties = map[string]any{"Description": d.Name, "EnableKeyRotation": true, "KeyPolicy": text}
	case KindBucket:
		var bucket any = d.Target()
		if bucket == "" {
			bucket = ref(id + "Bucket")
			t.Parameters[id+"Bucket"] = parameter{Type: "String", Description: "The bucket of the policy " + d.Name}
		}
		r.Type, r.Properties = "AWS::S3::BucketPolicy", map[string]any{"Bucket": bucket, "PolicyDocument": text}
	case KindLogs:
		// This property is a text, and no object.
		r.Type, r.Properties = "AWS::Logs::ResourcePolicy", map[string]any{"PolicyName": d.Name, "PolicyDocument": string(text)}
	case KindGuardrail:
		if d.Target() == "" {
			return "the document names no one guardrail; put it with PutResourcePolicy"
		}
		r.Type, r.Properties = "AWS::Bedrock::ResourcePolicy", map[string]any{"ResourceArn": d.Target(), "PolicyDocument": text}
	case KindSession:
		return "a session policy is part of a call of AssumeRole; policy.WithSession puts it into Options"
	case KindBedrock:
		// No page of the reference was found that lists BEDROCK_POLICY for
		// AWS::Organizations::Policy (unverified, 2026-11), and one value that the type
		// does not know fails the whole stack.
		return "CloudFormation is not known to take the type BEDROCK_POLICY; use Terraform, or the file with organizations:CreatePolicy"
	default:
		return fmt.Sprintf("CloudFormation has no resource for the kind %q", d.Kind)
	}
	t.Resources[id] = r
	return ""
}

// endpoint makes the endpoint where the stack is given a VPC.
func (t *stack) endpoint(r *resource, id string, d Document) {
	none := "" // a parameter without a default must be given
	t.Parameters["VpcId"] = parameter{Type: "String", Default: &none, Description: "The VPC of the endpoints; empty makes none"}
	t.Parameters["SubnetIds"] = parameter{Type: "CommaDelimitedList", Default: &none, Description: "The subnets of the endpoints"}
	t.Parameters["SecurityGroupIds"] = parameter{Type: "CommaDelimitedList", Default: &none, Description: "The security groups of the endpoints"}
	t.Conditions["HasVpc"] = map[string]any{"Fn::Not": []any{map[string]any{"Fn::Equals": []any{map[string]string{"Ref": "VpcId"}, ""}}}}
	var service any = map[string]string{"Fn::Sub": "com.amazonaws.${AWS::Region}." + d.Target()}
	if d.Target() == "" {
		t.Parameters[id+"ServiceName"] = parameter{Type: "String", Description: "The service of the endpoint " + d.Name + ", such as com.amazonaws.eu-central-1.bedrock-runtime"}
		service = map[string]string{"Ref": id + "ServiceName"}
	}
	r.Type, r.Condition = "AWS::EC2::VPCEndpoint", "HasVpc"
	r.Properties = map[string]any{
		"VpcEndpointType": "Interface", "PrivateDnsEnabled": true, "ServiceName": service,
		"VpcId": map[string]string{"Ref": "VpcId"}, "SubnetIds": map[string]string{"Ref": "SubnetIds"},
		"SecurityGroupIds": map[string]string{"Ref": "SecurityGroupIds"}, "PolicyDocument": json.RawMessage(d.JSON()),
	}
}

// literal refuses what CloudFormation would replace within a document: a dynamic
// reference, which works in any text, and an object with the name of a function.
func literal(d Document) error {
	if strings.Contains(d.JSON(), "{{resolve:") {
		return fmt.Errorf("policy: %s holds {{resolve:…}}, which CloudFormation would replace; remove it, or use the JSON file", d.Name)
	}
	for _, s := range d.Statements {
		for operator, keys := range s.Condition {
			if function(operator) {
				return fmt.Errorf("policy: %s has the condition operator %.40q, which CloudFormation takes for a function; remove it", d.Name, operator)
			}
			for key := range keys {
				if function(key) {
					return fmt.Errorf("policy: %s has the condition key %.40q, which CloudFormation takes for a function; remove it", d.Name, key)
				}
			}
		}
	}
	return nil
}

func function(name string) bool {
	return name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::")
}

// logicalID makes an ID of letters and digits, which no other document has.
func logicalID(name string, taken map[string]bool) string {
	var id strings.Builder
	upper := true
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z' && upper:
			id.WriteRune(c - 'a' + 'A')
			upper = false
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
			id.WriteRune(c)
			upper = false
		default:
			upper = true
		}
	}
	base := id.String()
	if base == "" {
		base = "Policy"
	}
	if len(base) > 200 {
		base = base[:200]
	}
	unique := base
	for n := 2; taken[unique]; n++ {
		unique = fmt.Sprintf("%sNo%d", base, n)
	}
	taken[unique] = true
	return unique
}

// shorten cuts a text to a number of characters.
func shorten(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}
