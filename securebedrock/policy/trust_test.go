package policy

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// TestTheTrustPolicyDemandsWhatTheRoleSends takes one part of Options.Role after the other.
func TestTheTrustPolicyDemandsWhatTheRoleSends(t *testing.T) {
	none := func(r *Resources) { r.Pods, r.InheritedTags = nil, nil }
	for _, row := range []struct {
		about  string
		change func(r *Resources, role *securebedrock.Role)
		sids   []string
		says   []string
		not    []string
	}{
		{
			"a bare role", func(r *Resources, role *securebedrock.Role) { none(r); *role = securebedrock.Role{ARN: resRole} },
			[]string{"AssumeClientRole"}, nil, []string{"Condition", "sts:TagSession", "sts:SetSourceIdentity"},
		},
		{
			"an external ID", func(r *Resources, role *securebedrock.Role) {
				none(r)
				*role = securebedrock.Role{ARN: resRole, ExternalID: "claims:prod"}
			},
			[]string{"AssumeClientRole"}, []string{`"StringEquals":{"sts:ExternalId":"claims:prod"}`}, []string{"sts:TagSession"},
		},
		{
			"tags that end with the session", func(r *Resources, role *securebedrock.Role) { none(r); role.TransitiveTagKeys = nil },
			[]string{"AssumeClientRole", "SetSourceIdentity", "PassSessionTags"}, []string{`"Null":{"sts:TransitiveTagKeys":"true"}`, `"aws:TagKeys":["cost","project"]`}, []string{"eks-cluster-arn"},
		},
		{
			"the tags of a pod, which are transitive", func(r *Resources, role *securebedrock.Role) {
				r.InheritedTags = nil
				*role = securebedrock.Role{ARN: resRole}
			},
			[]string{"AssumeClientRole", "PassSessionTags"},
			[]string{`"sts:TransitiveTagKeys":["eks-cluster-arn","eks-cluster-name","kubernetes-namespace","kubernetes-pod-name","kubernetes-pod-uid","kubernetes-service-account"]`}, []string{"aws:RequestTag"},
		},
	} {
		s := resSpec(t, func(r *Resources, o *securebedrock.Options) { row.change(r, o.Role) })
		d := named(t, RoleTrust, s, "trust-role")
		var sids []string
		for _, st := range d.Statements {
			sids = append(sids, st.Sid)
		}
		if !reflect.DeepEqual(sids, row.sids) {
			t.Errorf("%s: the statements are %v, want %v", row.about, sids, row.sids)
		}
		for _, want := range row.says {
			if !strings.Contains(d.JSON(), want) {
				t.Errorf("%s: %s lacks %s", row.about, d.JSON(), want)
			}
		}
		for _, not := range row.not {
			if strings.Contains(d.JSON(), not) {
				t.Errorf("%s: %s has %s", row.about, d.JSON(), not)
			}
		}
	}
}

// TestNoTrustIsOpen looks at each trust, key and bucket policy: no principal is "*" but
// under a Deny, and an AWS service acts for a resource of the account only. The article
// lets bedrock.amazonaws.com assume roles without either condition.
func TestNoTrustIsOpen(t *testing.T) {
	for name, d := range aroundDocs(t) {
		for _, st := range d.Statements {
			p := st.Principal
			if p == nil {
				continue
			}
			text, err := json.Marshal(p.AWS)
			if err != nil {
				t.Fatal(err)
			}
			if st.Effect == Allow && (p.Any || strings.Contains(string(text), "*")) {
				t.Errorf("%s %s allows everybody", name, st.Sid)
			}
			if len(p.Service) == 0 {
				continue
			}
			var conditions strings.Builder
			for _, keys := range st.Condition {
				for key, values := range keys {
					conditions.WriteString(key + "=" + strings.Join(values, " ") + "\n")
				}
			}
			if c := conditions.String(); !strings.Contains(c, resAccount) || !strings.Contains(c, "aws:SourceArn=") && !strings.Contains(c, "kms:EncryptionContext:") && !strings.Contains(c, "aws:RequestTag/eks-cluster-arn=") {
				t.Errorf("%s %s lets %v act for any account: %s", name, st.Sid, p.Service, c)
			}
		}
	}
}

// TestOtherPartitions has no ARN and no host of the commercial partition.
func TestOtherPartitions(t *testing.T) {
	for _, row := range []struct{ partition, region, logs string }{
		{"aws-us-gov", "us-gov-west-1", "logs.us-gov-west-1.amazonaws.com"},
		{"aws-cn", "cn-north-1", "logs.cn-north-1.amazonaws.com.cn"},
	} {
		text, err := json.Marshal(everything())
		if err != nil {
			t.Fatal(err)
		}
		moved := strings.NewReplacer("arn:aws:", "arn:"+row.partition+":", "eu-central-1", row.region, "eu-west-1", row.region).Replace(string(text))
		var r Resources
		if err := json.Unmarshal([]byte(moved), &r); err != nil {
			t.Fatal(err)
		}
		o := resOptions()
		o.Region = row.region
		o.Role.ARN = strings.Replace(resRole, "arn:aws:", "arn:"+row.partition+":", 1)
		s := specOf(t, o, Account{ID: resAccount, Resources: r})
		var all strings.Builder
		for _, build := range []builder{
			GuardrailReader, GuardrailAdmin, KnowledgeBaseCaller, KnowledgeBaseRole, AgentCaller,
			RoleTrust, WorkloadTrust, ServiceTrust, LoggingRole, TrailRole, KeyPolicies, BucketPolicies,
		} {
			docs, err := build(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range docs {
				all.WriteString(d.JSON() + "\n")
			}
		}
		for _, not := range []string{"arn:aws:", "eu-central-1.amazonaws", "bedrock.amazonaws.com.cn", "cloudtrail.amazonaws.com.cn"} {
			if strings.Contains(all.String(), not) {
				t.Errorf("%s: the documents hold %s", row.partition, not)
			}
		}
		for _, want := range []string{row.logs, `"bedrock.amazonaws.com"`, `"cloudtrail.amazonaws.com"`, strings.Replace(row.logs, "logs.", "s3.", 1)} {
			if !strings.Contains(all.String(), want) {
				t.Errorf("%s: the documents lack %s", row.partition, want)
			}
		}
	}
}

// TestRetrieveAndGenerateNeedsAReason stands apart, on "*": on a knowledge base's ARN the
// action is never allowed, as in the article.
func TestRetrieveAndGenerateNeedsAReason(t *testing.T) {
	with := named(t, KnowledgeBaseCaller, resSpec(t, func(*Resources, *securebedrock.Options) {}), "knowledge-base-caller")
	if !strings.Contains(with.Purpose, "the portal answers from documents") {
		t.Errorf("the purpose is silent on the reason: %s", with.Purpose)
	}
	for _, st := range with.Statements {
		if has := strings.Contains(strings.Join(st.Action, " "), "RetrieveAndGenerate"); has != (strings.Join(st.Resource, "") == "*") {
			t.Errorf("%s: %v on %v", st.Sid, st.Action, st.Resource)
		}
	}
	without := named(t, KnowledgeBaseCaller, resSpec(t, func(r *Resources, _ *securebedrock.Options) { r.RetrieveAndGenerate = "" }), "knowledge-base-caller")
	if strings.Contains(without.JSON(), "RetrieveAndGenerate") {
		t.Errorf("allowed without a reason: %s", without.JSON())
	}
}
