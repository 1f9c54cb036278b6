package policy

import (
	"slices"
	"testing"
)

func TestRelaxations(t *testing.T) {
	want := []Relaxation{
		{`Options.Residency "*"`, "inference may run in every region", ""},
		{"Options.Unguarded", "no document demands a guardrail", "a <b>test</b> & more"},
		{"Options.Guardrail.AllowPartial", "a call may leave content unscanned, which no policy can see", ""},
		{`Options.UnguardedOperations["InvokeModelWithBidirectionalStream"]`, "the operation carries no guardrail", "voice takes none"},
		{`Options.UnguardedOperations["StartAsyncInvoke"]`, "the operation carries no guardrail", "video takes no guardrail"},
		{`Account.Unguardable["amazon.titan-embed-text-v2:0"]`, "the model is called without a guardrail", "embeddings"},
		{`Account.ExceptPrincipals["arn:aws:iam::123456789012:role/kb"]`, "the principal calls models without the guardrail", "a knowledge base"},
		{`Account.Administrators["arn:aws:iam::123456789012:role/platform"]`, "the principal may change logging, guardrails, endpoints and the trail", "the platform team"},
		{`Account.DataRetention["default"]`, "the mode of data retention may be set", "a model needs review"},
		{"Account.Resources.RetrieveAndGenerate", "the call's own body chooses the model and the guardrail", "a chat over the manuals"},
	}
	if got := Relaxations(sampleSpec()); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := Relaxations(&Spec{}); got != nil {
		t.Errorf("a strict Spec: %q", got)
	}
}
