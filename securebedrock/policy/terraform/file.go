package terraform

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// File returns a Terraform file, for the provider hashicorp/aws, of the documents. The
// same documents give the same bytes. Each document stands in the file as a quoted
// string, which Terraform evaluates to the very bytes of Document.JSON: "${" and "%{"
// are escaped, so that IAM reads the variable "${aws:PrincipalTag/team}".
//
// The file makes policies, and roles for trust policies; it attaches no policy to a
// principal or an account. A policy of an endpoint, a key, a bucket or a role is put to
// the one that a variable names. A document that no resource of the provider holds is
// an output.
//
// Documents of an organisation belong in the management account, and the others in the
// account: call File for each.
func File(docs []policy.Document) ([]byte, error) {
	f := hclwrite.NewEmptyFile()
	body := f.Body()
	comment(body, "Policies for Amazon Bedrock, derived from the configuration of the client.")
	body.AppendNewline()
	required := body.AppendNewBlock("terraform", nil).Body()
	// The first version with BEDROCK_POLICY in its tests is 6.26.
	required.AppendNewBlock("required_providers", nil).Body().SetAttributeValue("aws", cty.ObjectVal(map[string]cty.Value{
		"source":  cty.StringVal("hashicorp/aws"),
		"version": cty.StringVal(">= 6.26"),
	}))

	taken := map[string]bool{}
	for _, d := range docs {
		label := labelOf(d.Name)
		if taken[label] {
			return nil, fmt.Errorf("terraform: two documents have the name %.100q; give each a name of its own", label)
		}
		taken[label] = true
		if cty.StringVal(d.JSON()).AsString() != d.JSON() { // Terraform composes characters
			return nil, fmt.Errorf("terraform: Terraform would change characters of %.100q; write them in Unicode's normal form C", d.Name)
		}
		add(body, label, d)
	}
	return hclwrite.Format(f.Bytes()), nil
}

// add writes the blocks of a document.
func add(body *hclwrite.Body, label string, d policy.Document) {
	text := cty.StringVal(d.JSON())
	name := cty.StringVal(d.Name)
	resource := func(kind string) *hclwrite.Body {
		body.AppendNewline()
		comment(body, d.Purpose)
		comment(body, d.Attach)
		return body.AppendNewBlock("resource", []string{kind, label}).Body()
	}
	// variable declares what the caller of the file knows, and refers to it.
	variable := func(r *hclwrite.Body, attribute, suffix, what string) {
		id := label + "_" + suffix
		r.SetAttributeTraversal(attribute, traversal("var", id))
		body.AppendNewline()
		v := body.AppendNewBlock("variable", []string{id}).Body()
		v.SetAttributeRaw("type", hclwrite.TokensForIdentifier("string"))
		v.SetAttributeValue("description", cty.StringVal(what+" of the document "+d.Name))
	}
	switch d.Kind {
	case policy.KindManaged, policy.KindBoundary:
		// The description of a managed policy cannot be changed: a new one would replace
		// the policy.
		r := resource("aws_iam_policy")
		r.SetAttributeValue("name", name)
		r.SetAttributeValue("policy", text)
	case policy.KindInline:
		r := resource("aws_iam_role_policy")
		r.SetAttributeValue("name", name)
		variable(r, "role", "role", "The role")
		r.SetAttributeValue("policy", text)
	case policy.KindTrust:
		r := resource("aws_iam_role")
		variable(r, "name", "role", "The name of the role")
		r.SetAttributeValue("assume_role_policy", text)
	case policy.KindSCP, policy.KindRCP, policy.KindBedrock:
		r := resource("aws_organizations_policy")
		r.SetAttributeValue("name", name)
		r.SetAttributeValue("description", cty.StringVal(shorten(d.Purpose, 512)))
		r.SetAttributeValue("type", cty.StringVal(map[policy.Kind]string{
			policy.KindSCP: "SERVICE_CONTROL_POLICY", policy.KindRCP: "RESOURCE_CONTROL_POLICY", policy.KindBedrock: "BEDROCK_POLICY",
		}[d.Kind]))
		r.SetAttributeValue("content", text)
	case policy.KindEndpoint:
		r := resource("aws_vpc_endpoint_policy")
		variable(r, "vpc_endpoint_id", "id", "The ID of the VPC endpoint")
		r.SetAttributeValue("policy", text)
	case policy.KindKey:
		r := resource("aws_kms_key_policy")
		variable(r, "key_id", "id", "The ID of the key")
		r.SetAttributeValue("policy", text)
	case policy.KindBucket:
		r := resource("aws_s3_bucket_policy")
		if bucket := d.Target(); bucket != "" {
			r.SetAttributeValue("bucket", cty.StringVal(bucket))
		} else {
			variable(r, "bucket", "bucket", "The bucket")
		}
		r.SetAttributeValue("policy", text)
	case policy.KindLogs:
		r := resource("aws_cloudwatch_log_resource_policy")
		r.SetAttributeValue("policy_name", name)
		r.SetAttributeValue("policy_document", text)
	default:
		// A session policy is part of a call of AssumeRole. A guardrail's resource policy
		// has no resource in the provider (hashicorp/terraform-provider-aws 48674, open
		// in 2026-09).
		body.AppendNewline()
		comment(body, d.Purpose)
		comment(body, d.Attach)
		o := body.AppendNewBlock("output", []string{label}).Body()
		o.SetAttributeValue("description", cty.StringVal(d.Purpose))
		o.SetAttributeValue("value", text)
	}
}
