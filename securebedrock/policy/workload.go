package policy

import (
	"fmt"
	"slices"
	"strings"
)

// WorkloadTrust is the trust policy of the application's own role, where the application
// runs in EKS or holds a token of an OIDC provider. The role assumes Options.Role or,
// without one, signs the calls. The client has no such rule.
//
// A pod is known by the session tags that EKS Pod Identity sets: cluster, namespace and
// service account. An association that disables these tags cannot hold the role.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
//
// A token is known by audience and subject, both compared under the provider's host. IAM
// refuses a trust policy of a shared provider, such as GitHub's, without its subject.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
func WorkloadTrust(s *Spec) ([]Document, error) {
	r := &s.acct.Resources
	if len(r.Pods)+len(r.OIDC) == 0 {
		return nil, nil
	}
	d := Document{
		Name: "trust-workload", Kind: KindTrust,
		Purpose: "Lets the named Kubernetes service accounts and token subjects hold the application's own role.",
		Attach:  "to the application's own role, as its trust policy",
	}
	for i, p := range r.Pods {
		d.Statements = append(d.Statements, Statement{
			Sid: fmt.Sprintf("HoldAsPod%d", i+1), Effect: Allow, Principal: service("pods.eks.amazonaws.com"),
			Action: []string{"sts:AssumeRole", "sts:TagSession"},
			Condition: when("StringEquals", "aws:RequestTag/eks-cluster-arn", p.Cluster).
				and(when("StringEquals", "aws:RequestTag/kubernetes-namespace", p.Namespace)).
				and(when("StringEquals", "aws:RequestTag/kubernetes-service-account", p.ServiceAccount)),
		})
	}
	for i := range r.OIDC {
		o := &r.OIDC[i]
		_, host, _ := strings.Cut(o.Provider, ":oidc-provider/")
		subjects := when("StringEquals", host+":sub", sortedSet(o.Subjects)...)
		if len(o.SubjectPatterns) > 0 {
			// A subject has no wildcard and so is compared as it stands here, too.
			subjects = when("StringLike", host+":sub", sortedSet(slices.Concat(o.Subjects, o.SubjectPatterns))...)
		}
		d.Statements = append(d.Statements, Statement{
			Sid: fmt.Sprintf("HoldByToken%d", i+1), Effect: Allow, Principal: &Principal{Federated: []string{o.Provider}},
			Action:    []string{"sts:AssumeRoleWithWebIdentity"},
			Condition: when("StringEquals", host+":aud", o.Audience).and(subjects),
		})
	}
	return fit(d)
}

// podTags are the session tags of EKS Pod Identity.
func podTags() []string {
	return []string{"eks-cluster-arn", "eks-cluster-name", "kubernetes-namespace", "kubernetes-pod-name", "kubernetes-pod-uid", "kubernetes-service-account"}
}
