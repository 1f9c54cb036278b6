package iamdata

import (
	"slices"
	"testing"
	"time"
)

// Written by hand, so that an error in the extract does not agree with itself. The facts
// are of the Service Authorization Reference, list_amazonbedrock.
func TestTableSaysWhatAWSSays(t *testing.T) {
	if _, err := time.Parse(time.DateOnly, Date); err != nil {
		t.Error(err)
	}
	for _, row := range []struct {
		action string
		types  []string // some of them; "" alone means none at all
		keys   []string
		not    []string // keys or types that the action does not have
	}{
		{"bedrock:InvokeModel", []string{"foundation-model", "inference-profile", "async-invoke"}, []string{"bedrock:GuardrailIdentifier", "bedrock:ModelArn", "bedrock:InferenceProfileArn"}, []string{"guardrail"}},
		{"bedrock:InvokeModelWithResponseStream", []string{"foundation-model", "inference-profile"}, []string{"bedrock:GuardrailIdentifier", "bedrock:InferenceProfileArn"}, []string{"bedrock:ModelArn", "bedrock:ProjectArn", "async-invoke"}},
		{"bedrock:ApplyGuardrail", []string{"guardrail", "guardrail-profile"}, nil, []string{"bedrock:GuardrailIdentifier"}},
		{"bedrock:CountTokens", []string{"foundation-model"}, nil, []string{"bedrock:GuardrailIdentifier"}},
		{"bedrock:Retrieve", []string{"knowledge-base"}, nil, nil},
		{"bedrock:RetrieveAndGenerate", []string{""}, nil, nil},
		{"bedrock:CallWithBearerToken", []string{""}, []string{"bedrock:BearerTokenType"}, nil},
		{"bedrock:PutAccountDataRetention", []string{""}, []string{"bedrock:DataRetentionMode"}, nil},
		{"bedrock:CreateModelInvocationJob", []string{"foundation-model"}, nil, []string{"bedrock:GuardrailIdentifier"}},
		{"bedrock-mantle:CreateInference", []string{"project"}, []string{"bedrock-mantle:Model"}, nil},
		{"iam:CreateServiceSpecificCredential", []string{"user"}, []string{"iam:ServiceSpecificCredentialServiceName"}, nil},
		{"sts:AssumeRole", []string{"role"}, []string{"sts:ExternalId", "sts:SourceIdentity"}, nil},
		{"kms:Decrypt", []string{"key"}, []string{"kms:ViaService"}, nil},
		{"BEDROCK:invokemodel", []string{"foundation-model"}, nil, nil},
	} {
		types, known := ResourceTypes(row.action)
		if !known {
			t.Errorf("%s is unknown", row.action)
			continue
		}
		if row.types[0] == "" {
			if len(types) > 0 {
				t.Errorf("%s takes %v, want no resource type", row.action, types)
			}
		} else {
			for _, want := range row.types {
				if !slices.Contains(types, want) {
					t.Errorf("%s does not take %s", row.action, want)
				}
			}
		}
		keys, known := Keys(row.action)
		if !known {
			t.Errorf("%s has no list of keys", row.action)
		}
		for _, want := range row.keys {
			if !slices.Contains(keys, want) {
				t.Errorf("%s has no key %s", row.action, want)
			}
		}
		for _, no := range row.not {
			if slices.Contains(keys, no) || slices.Contains(types, no) {
				t.Errorf("%s has %s", row.action, no)
			}
		}
	}
}

func TestWhatPublicPoliciesInvent(t *testing.T) {
	for _, action := range []string{"bedrock:Converse", "bedrock:ConverseStream", "bedrock:StartAsyncInvoke", "bedrock:InvokeModelWithBidirectionalStream", "bedrock"} {
		if _, known := ResourceTypes(action); known {
			t.Errorf("%s is in the table", action)
		}
	}
	for _, key := range []string{"bedrock:GuardrailArn", "bedrock:ModelId"} {
		if slices.Contains(ServiceKeys("bedrock"), key) {
			t.Errorf("%s is in the table", key)
		}
	}
}

func TestServices(t *testing.T) {
	if !Known("Bedrock") || Known("ec2") || Known("") {
		t.Error("Known is wrong")
	}
	if got := Prefixes(); !slices.Contains(got, "bedrock-agentcore") || slices.Contains(got, "bedrock-runtime") {
		t.Errorf("prefixes are %v", got)
	}
	if got := Actions("bedrock"); len(got) < 250 || !slices.IsSorted(got) || !slices.Contains(got, "bedrock:InvokeModel") {
		t.Errorf("%d actions of bedrock", len(got))
	}
	if got := Actions("ec2"); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	if _, known := Keys("s3:GetObject"); known {
		t.Error("the keys of an action of S3 are left out of the table, and Keys says that there are none")
	}
	if got := ARNs("bedrock")["foundation-model"]; got != "arn:${Partition}:bedrock:${Region}::foundation-model/${ResourceId}" {
		t.Errorf("got %s", got)
	}
	if got := GlobalKeys(); !slices.Contains(got, "aws:RequestedRegion") || !slices.Contains(got, "aws:PrincipalTag/${TagKey}") {
		t.Errorf("got %v", got)
	}
}
