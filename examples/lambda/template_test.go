package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

var update = flag.Bool("update", false, "write template.json")

// stack is what differs from one stack to another.
type stack struct{ partition, account, region, name, guardrail, version, model string }

// role and function name the two roles: the client's, and the function's, which assumes
// it.
func (s stack) role() string {
	return "arn:" + s.partition + ":iam::" + s.account + ":role/" + s.name + "-bedrock"
}

func (s stack) function() string {
	return "arn:" + s.partition + ":iam::" + s.account + ":role/" + s.name + "-function"
}

// documents are the policies of the function's own options in a stack: the trust and the
// permissions of the client's role, and what the function may do, which is to assume it.
func (s stack) documents(t *testing.T) (trust, invoke, assume policy.Document) {
	t.Helper()
	for name, value := range map[string]string{"AWS_REGION": s.region, "GUARDRAIL_ID": s.guardrail, "GUARDRAIL_VERSION": s.version, "MODEL_ID": s.model, "ROLE_ARN": s.role()} {
		t.Setenv(name, value)
	}
	opts, acct := fromEnvironment(), policy.Account{ID: s.account, Resources: policy.Resources{Trusted: []string{s.function()}}}
	spec, err := policy.For(opts, acct)
	if err != nil {
		t.Fatal(err)
	}
	one := func(docs []policy.Document, err error) policy.Document {
		if err != nil || len(docs) != 1 {
			t.Fatalf("%d documents, %v", len(docs), err)
		}
		return docs[0]
	}
	// The session that the function asks for fits, too.
	if _, err := policy.WithSession(opts, policy.Account{ID: s.account}); err != nil {
		t.Fatal(err)
	}
	return one(policy.RoleTrust(spec)), one(policy.Invoke(spec)), policy.Document{
		Name: "assume", Kind: policy.KindInline,
		Statements: []policy.Statement{{Sid: "AssumeClientRole", Effect: policy.Allow, Action: []string{"sts:AssumeRole"}, Resource: []string{s.role()}}},
	}
}

// sample stands for the stack's own values, which the template names by parameters.
func sample() stack {
	return stack{"aws", "123456789012", "eu-central-1", "ask", "a1b2c3d4e5f6", "3", "vendor.model-v1:0"}
}

// parameterized makes a document a part of the template: each value of the sample becomes
// a reference. IAM's own variables are kept from Fn::Sub.
func parameterized(t *testing.T, d policy.Document) any {
	t.Helper()
	s := sample()
	names := strings.NewReplacer("${", "${!", "arn:"+s.partition+":", "arn:${AWS::Partition}:", s.account, "${AWS::AccountId}", s.region, "${AWS::Region}",
		"role/"+s.name+"-", "role/${AWS::StackName}-", "guardrail/"+s.guardrail+":"+s.version, "guardrail/${GuardrailId}:${GuardrailVersion}",
		"guardrail/"+s.guardrail, "guardrail/${GuardrailId}", s.model, "${ModelId}")
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			if named := names.Replace(v); named != v {
				return map[string]any{"Fn::Sub": named}
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for key := range v {
				if names.Replace(key) != key {
					t.Fatalf("%s: no function stands in the name of a member: %s", d.Name, key)
				}
				v[key] = walk(v[key])
			}
		}
		return v
	}
	var text any
	if err := json.Unmarshal([]byte(d.JSON()), &text); err != nil {
		t.Fatal(err)
	}
	return walk(text)
}

// object keeps the templates short.
type object = map[string]any

func sub(text string) any   { return object{"Fn::Sub": text} }
func ref(name string) any   { return object{"Ref": name} }
func arnOf(name string) any { return object{"Fn::GetAtt": []string{name, "Arn"}} }

func template(t *testing.T) []byte {
	trust, invoke, assume := sample().documents(t)
	parameter := func(what, pattern string) object {
		return object{"Type": "String", "Description": what, "AllowedPattern": pattern}
	}
	tree := object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Transform":                "AWS::Serverless-2016-10-31",
		"Description":              "A guarded Bedrock client in a Lambda function. The role and its policies are written by go test ./examples/lambda -update.",
		"Parameters": object{
			// No pattern admits "*", which would widen a policy.
			"GuardrailId":      parameter("The ID of a guardrail of this account and region", "^[a-z0-9]{1,64}$"),
			"GuardrailVersion": parameter("A published version of the guardrail", "^[1-9][0-9]{0,7}$"),
			"ModelId":          parameter("A foundation model that runs in this region, by its ID; an inference profile needs other policies", `^(?!(us|us-gov|eu|apac|jp|au|ca|global)\.)[a-z0-9-]+\.[a-z0-9.:-]+$`),
		},
		"Resources": object{
			"FunctionRole": object{"Type": "AWS::IAM::Role", "Properties": object{
				"RoleName": sub("${AWS::StackName}-function"),
				"AssumeRolePolicyDocument": object{"Version": "2012-10-17", "Statement": []any{object{
					"Effect": "Allow", "Principal": object{"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}}},
				"ManagedPolicyArns": []any{sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")},
				"Policies":          []any{object{"PolicyName": assume.Name, "PolicyDocument": parameterized(t, assume)}},
			}},
			// The trust policy names the function's role, which must be there first.
			"ClientRole": object{"Type": "AWS::IAM::Role", "DependsOn": "FunctionRole", "Properties": object{
				"RoleName":                 sub("${AWS::StackName}-bedrock"),
				"AssumeRolePolicyDocument": parameterized(t, trust),
				"Policies":                 []any{object{"PolicyName": invoke.Name, "PolicyDocument": parameterized(t, invoke)}},
			}},
			"Function": object{"Type": "AWS::Serverless::Function", "Properties": object{
				"CodeUri": "build", "Handler": "bootstrap", "Runtime": "provided.al2023", "Architectures": []string{"arm64"},
				"MemorySize": 256, "Timeout": 60, "Role": arnOf("FunctionRole"),
				"Environment": object{"Variables": object{
					"GUARDRAIL_ID": ref("GuardrailId"), "GUARDRAIL_VERSION": ref("GuardrailVersion"), "MODEL_ID": ref("ModelId"), "ROLE_ARN": arnOf("ClientRole"),
				}},
			}},
		},
		"Outputs": object{"Function": object{"Value": ref("Function"), "Description": "The function's name"}},
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(tree); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The template is what the options of this program make it.
func TestTemplateIsCurrent(t *testing.T) {
	got := template(t)
	if *update {
		if err := os.WriteFile("template.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile("template.json"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: template.json is not what the options make it; go test ./examples/lambda -update writes it\n%s", err, got)
	}
}

// In a stack of another account, region and partition, with another guardrail and model,
// the template gives exactly the documents of that stack's options.
func TestTemplateInAnotherStack(t *testing.T) {
	text, err := os.ReadFile("template.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []stack{
		sample(),
		{"aws", "210987654321", "us-east-1", "chat", "zyxwvu987654", "12", "amazon.nova-lite-v1:0"},
		{"aws-us-gov", "111122223333", "us-gov-west-1", "gov", "abc", "1", "anthropic.claude-3-haiku-20240307-v1:0"},
	} {
		var parsed struct {
			Resources map[string]struct {
				Properties struct {
					AssumeRolePolicyDocument any
					Policies                 []struct{ PolicyDocument any }
				}
			}
		}
		if err := json.Unmarshal(text, &parsed); err != nil {
			t.Fatal(err)
		}
		trust, invoke, assume := s.documents(t)
		client, function := parsed.Resources["ClientRole"].Properties, parsed.Resources["FunctionRole"].Properties
		for _, row := range []struct {
			want policy.Document
			got  any
		}{{trust, client.AssumeRolePolicyDocument}, {invoke, client.Policies[0].PolicyDocument}, {assume, function.Policies[0].PolicyDocument}} {
			got, err := json.Marshal(s.deployed(t, row.got))
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := policy.Parse(got, row.want.Kind)
			if err != nil || parsed.JSON() != row.want.JSON() {
				t.Errorf("%s: %s: %v\n%s\n%s", s.name, row.want.Name, err, got, row.want.JSON())
			}
		}
	}
}

// deployed is what CloudFormation makes of a part of the template.
func (s stack) deployed(t *testing.T, v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = s.deployed(t, v[i])
		}
	case map[string]any:
		if text, ok := v["Fn::Sub"].(string); ok && len(v) == 1 {
			return regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllStringFunc(text, func(name string) string {
				if rest, literal := strings.CutPrefix(name, "${!"); literal {
					return "${" + rest
				}
				value, ok := map[string]string{"${AWS::Partition}": s.partition, "${AWS::AccountId}": s.account, "${AWS::Region}": s.region, "${AWS::StackName}": s.name,
					"${GuardrailId}": s.guardrail, "${GuardrailVersion}": s.version, "${ModelId}": s.model}[name]
				if !ok {
					t.Errorf("nothing stands for %s", name)
				}
				return value
			})
		}
		for key := range v {
			v[key] = s.deployed(t, v[key])
		}
	}
	return v
}

// No parameter can widen a policy.
func TestParametersAreNarrow(t *testing.T) {
	text, err := os.ReadFile("template.json")
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Parameters map[string]struct{ AllowedPattern string }
	}
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ good, bad []string }{
		"GuardrailId":      {[]string{"a1b2c3d4e5f6"}, []string{"*", "", "a*", "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc"}},
		"GuardrailVersion": {[]string{"1", "12"}, []string{"DRAFT", "*", "0", "1*", ""}},
		"ModelId":          {[]string{"amazon.nova-lite-v1:0", "us-maker.model"}, []string{"*", "amazon.*", "eu.amazon.nova-lite-v1:0", "global.x.y", "us-gov.x.y", "", "a/b.c", "amazon.nova?"}},
	} {
		pattern := parsed.Parameters[name].AllowedPattern
		// Go knows no lookahead: the prefixes are tried apart.
		prefix := regexp.MustCompile(`^\^\(\?!(\(.*?\)\\\.)\)`).FindStringSubmatch(pattern)
		without := pattern
		if prefix != nil {
			without = strings.Replace(pattern, "(?!"+prefix[1]+")", "", 1)
		}
		match := func(value string) bool {
			return regexp.MustCompile(without).MatchString(value) && (prefix == nil || !regexp.MustCompile("^"+prefix[1]).MatchString(value))
		}
		for _, value := range row.good {
			if !match(value) {
				t.Errorf("%s refuses %q", name, value)
			}
		}
		for _, value := range row.bad {
			if match(value) {
				t.Errorf("%s takes %q", name, value)
			}
		}
	}
}
