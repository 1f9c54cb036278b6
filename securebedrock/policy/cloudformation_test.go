package policy

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// cloudTemplate is what the tests read of a template.
type cloudTemplate struct {
	Metadata   struct{ NotInThisTemplate map[string]string }
	Parameters map[string]struct {
		Type    string
		Default *string
	}
	Conditions map[string]any
	Resources  map[string]struct {
		Type, Condition, DeletionPolicy, UpdateReplacePolicy string
		Metadata                                             map[string]string
		Properties                                           map[string]json.RawMessage
	}
}

func parseTemplate(t *testing.T, docs []Document) (cloudTemplate, []byte) {
	t.Helper()
	text, err := CloudFormation(docs)
	if err != nil {
		t.Fatal(err)
	}
	var parsed cloudTemplate
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&parsed); err != nil {
		t.Fatal(err)
	}
	return parsed, text
}

func TestCloudFormation(t *testing.T) {
	_, text := parseTemplate(t, samples())
	golden(t, "cloudformation/samples.json", string(text))
}

// Each document is in the template as it is, or is named with the reason.
func TestCloudFormationHoldsEachDocument(t *testing.T) {
	docs := samples()
	parsed, _ := parseTemplate(t, docs)
	want := map[string][2]string{ // the type, and the property of the document
		"Invoke": {"AWS::IAM::ManagedPolicy", "PolicyDocument"}, "Boundary": {"AWS::IAM::ManagedPolicy", "PolicyDocument"},
		"Inline": {"AWS::IAM::RolePolicy", "PolicyDocument"}, "Trust": {"AWS::IAM::Role", "AssumeRolePolicyDocument"},
		"ScpRegions": {"AWS::Organizations::Policy", "Content"}, "Rcp": {"AWS::Organizations::Policy", "Content"},
		"EndpointBedrockRuntime": {"AWS::EC2::VPCEndpoint", "PolicyDocument"}, "Endpoint": {"AWS::EC2::VPCEndpoint", "PolicyDocument"},
		"Key": {"AWS::KMS::Key", "KeyPolicy"}, "Bucket": {"AWS::S3::BucketPolicy", "PolicyDocument"}, "Buckets": {"AWS::S3::BucketPolicy", "PolicyDocument"},
		"Guardrail": {"AWS::Bedrock::ResourcePolicy", "PolicyDocument"}, "Logs": {"AWS::Logs::ResourcePolicy", "PolicyDocument"},
	}
	if len(parsed.Resources) != len(want) || len(parsed.Metadata.NotInThisTemplate) != len(docs)-len(want) {
		t.Errorf("%d resources, and %v", len(parsed.Resources), parsed.Metadata.NotInThisTemplate)
	}
	for _, d := range docs {
		var id string
		for key, r := range parsed.Resources {
			if r.Metadata["Document"] == d.Name {
				id = key
			}
		}
		if id == "" {
			if why := parsed.Metadata.NotInThisTemplate[d.Name]; len(why) < 20 || d.Kind != KindSession && d.Kind != KindBedrock {
				t.Errorf("%s is in no resource: %q", d.Name, why)
			}
			continue
		}
		r := parsed.Resources[id]
		if r.Type != want[id][0] {
			t.Errorf("%s: %s", id, r.Type)
		}
		got := string(r.Properties[want[id][1]])
		if d.Kind == KindLogs {
			if err := json.Unmarshal([]byte(got), &got); err != nil {
				t.Error(err)
			}
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(got)); err != nil || compact.String() != d.JSON() {
			t.Errorf("%s: %v %s", d.Name, err, got)
		}
		if r.Metadata["Purpose"] != d.Purpose || r.Metadata["Attach"] != d.Attach {
			t.Errorf("%s: %v", d.Name, r.Metadata)
		}
	}
}

// CloudFormation replaces ${…} in Fn::Sub only. The only one is a service's name.
func TestVariablesStayForIAM(t *testing.T) {
	_, text := parseTemplate(t, samples())
	if !strings.Contains(string(text), `"${aws:PrincipalTag/team}"`) {
		t.Error("the variable is gone")
	}
	for _, sub := range regexp.MustCompile(`"Fn::Sub": *(.*)`).FindAllStringSubmatch(string(text), -1) {
		if sub[1] != `"com.amazonaws.${AWS::Region}.bedrock-runtime"` {
			t.Errorf("Fn::Sub of %s", sub[1])
		}
	}
	for _, row := range []Document{
		{Name: "a", Kind: KindManaged, Statements: []Statement{{Resource: []string{"{{resolve:ssm:x}}"}}}},
		{Name: "a", Kind: KindManaged, Statements: []Statement{{Condition: when("Fn::Sub", "x", "${AWS::Region}")}}},
		{Name: "a", Kind: KindManaged, Statements: []Statement{{Condition: when("Ref", "x", "y")}}},
		{Name: "a", Kind: KindManaged, Statements: []Statement{{Condition: when("StringEquals", "Ref", "y")}}},
	} {
		if text, err := CloudFormation([]Document{row}); err == nil || text != nil {
			t.Errorf("%s", text)
		}
	}
}

// A stack with no parameter given makes neither an endpoint nor a key.
func TestCostlyResourcesAreAskedFor(t *testing.T) {
	parsed, _ := parseTemplate(t, samples())
	for id, condition := range map[string]string{"Key": "CreatesKeys", "Endpoint": "HasVpc", "EndpointBedrockRuntime": "HasVpc", "Invoke": ""} {
		if parsed.Resources[id].Condition != condition {
			t.Errorf("%s stands under %q", id, parsed.Resources[id].Condition)
		}
		if _, ok := parsed.Conditions[condition]; !ok && condition != "" {
			t.Errorf("%s is no condition", condition)
		}
	}
	for _, name := range []string{"VpcId", "SubnetIds", "SecurityGroupIds", "CreateKeys"} {
		if p, ok := parsed.Parameters[name]; !ok || p.Default == nil || *p.Default != "" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for _, name := range []string{"InlineRoleName", "BucketsBucket", "EndpointServiceName"} {
		if p, ok := parsed.Parameters[name]; !ok || p.Default != nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if k := parsed.Resources["Key"]; k.DeletionPolicy != "Retain" || k.UpdateReplacePolicy != "Retain" || string(k.Properties["EnableKeyRotation"]) != "true" {
		t.Errorf("%+v", k)
	}
}

func TestLogicalIDs(t *testing.T) {
	taken := map[string]bool{}
	for _, row := range [][2]string{{"scp-regions", "ScpRegions"}, {"scpregions", "Scpregions"}, {"scp.regions", "ScpRegionsNo2"}, {"scp_regions", "ScpRegionsNo3"},
		{"", "Policy"}, {"ä", "PolicyNo2"}, {"1-a", "1A"}, {strings.Repeat("a", 300), "A" + strings.Repeat("a", 199)}} {
		if got := logicalID(row[0], taken); got != row[1] {
			t.Errorf("%q: %q", row[0], got)
		}
	}
	if got := shorten(strings.Repeat("ä", 513), 512); len([]rune(got)) != 512 || !strings.HasSuffix(got, "…") {
		t.Error(got)
	}
	if got := shorten(strings.Repeat("ä", 512), 512); strings.HasSuffix(got, "…") {
		t.Error(got)
	}
}
