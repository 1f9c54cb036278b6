package policy

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// texts calls set for every text in a value: of fields, of lists, and keys and values of
// maps.
func texts(path string, v reflect.Value, set func(path string, get string, put func(string))) {
	switch v.Kind() {
	case reflect.String:
		set(path, v.String(), v.SetString)
	case reflect.Pointer:
		if !v.IsNil() {
			texts(path, v.Elem(), set)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			texts(path+"."+v.Type().Field(i).Name, v.Field(i), set)
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(fmt.Sprintf("%s[%d]", path, i), v.Index(i), set)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			value := v.MapIndex(key)
			set(path+" key "+key.String(), key.String(), func(s string) {
				v.SetMapIndex(key, reflect.Value{})
				v.SetMapIndex(reflect.ValueOf(s), value)
			})
			switch value.Kind() {
			case reflect.Map, reflect.Slice:
				texts(path, value, set)
			case reflect.String:
				set(fmt.Sprintf("%s[%q]", path, key.String()), value.String(), func(s string) { v.SetMapIndex(key, reflect.ValueOf(s)) })
			}
		}
	}
}

// full is a configuration with a value in every field that a document holds.
func full() (securebedrock.Options, Account) {
	opts := resOptions()
	opts.Residency = securebedrock.Geography("eu")
	opts.Accounts = []string{resAccount}
	opts.UnguardedOperations = map[string]string{"StartAsyncInvoke": "videos"}
	opts.Endpoint.URL = "https://vpce-0123456789abcdef0-abcdefgh.bedrock-runtime.eu-central-1.vpce.amazonaws.com"
	const profile = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/abc"
	opts.Models = append(opts.Models, profile, "eu.amazon.nova-pro-v1:0", "amazon.titan-embed-text-v2:0",
		"arn:aws:bedrock:eu-central-1:111122223333:provisioned-model/p1")
	return opts, Account{
		ID: resAccount, Partition: "aws", Organization: "o-a1b2c3d4e5", GuardrailProfile: "eu.guardrail.v1:0",
		ProfileModels: map[string][]string{profile: {"amazon.nova-lite-v1:0", "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"}},
		InputBuckets:  []string{"images"}, OutputBuckets: []string{"videos"},
		Unguardable:      map[string]string{"amazon.titan-embed-text-v2:0": "an embedding model"},
		ExceptPrincipals: map[string]string{roleOf("service-role/kb"): "a knowledge base"},
		Administrators:   map[string]string{roleOf("platform"): "the platform team"},
		DataRetention:    map[string]string{"default": "a model needs review"},
		Enforced: []EnforcedGuardrail{{Region: "eu-central-1", ARN: "arn:aws:bedrock:eu-central-1:444455556666:guardrail/abc123", Version: "2",
			IncludedModels: []string{"amazon.nova-pro-v1:0"}, ExcludedModels: []string{"amazon.titan-embed-text-v2:0"}}},
		Resources: everything(),
	}
}

// TestNoTextWidensADocument puts what means something to IAM, or what no document can
// hold, into every text of Options and Account. It is refused, or stands in no document.
func TestNoTextWidensADocument(t *testing.T) {
	var places []string
	opts, acct := full()
	specOf(t, opts, acct)
	note := func(path, _ string, _ func(string)) { places = append(places, path) }
	texts("Options", reflect.ValueOf(&opts).Elem(), note)
	texts("Account", reflect.ValueOf(&acct).Elem(), note)
	if len(places) < 100 {
		t.Fatalf("%d texts", len(places))
	}
	for _, place := range places {
		for _, hostile := range []string{"zz*", "zz?", "zz${aws:username}", "zzé", "zz日", `zz"`, "zz\n", "zz\\u002a"} {
			patterns := strings.HasPrefix(place, "Options.Models[") || strings.Contains(place, ".SubjectPatterns[")
			if patterns && hostile == "zz*" {
				continue
			}
			for _, whole := range []bool{false, true} {
				opts, acct := full()
				change := func(path, old string, put func(string)) {
					switch {
					case path != place:
					case whole:
						put(strings.TrimPrefix(hostile, "zz"))
					default:
						put(old + hostile)
					}
				}
				texts("Options", reflect.ValueOf(&opts).Elem(), change)
				texts("Account", reflect.ValueOf(&acct).Elem(), change)
				s, err := For(opts, acct)
				if err != nil {
					continue
				}
				docs, _ := All(s) // the session policy is too large
				for _, d := range docs {
					for _, text := range held(d) {
						if strings.Contains(text, hostile) || whole && text == strings.TrimPrefix(hostile, "zz") && hostile != "zz*" {
							t.Errorf("%s: %q stands in %s", place, text, d.Name)
						}
					}
				}
			}
		}
	}
}

// held are the texts that a document gives to AWS.
func held(d Document) (all []string) {
	note := func(_, s string, _ func(string)) { all = append(all, s) }
	for i := range d.Statements {
		texts("", reflect.ValueOf(&d.Statements[i]).Elem(), note)
		for _, keys := range d.Statements[i].Condition {
			for _, values := range keys {
				all = append(all, values...)
			}
		}
	}
	if d.Declarative != nil {
		texts("", reflect.ValueOf(d.Declarative).Elem(), note)
	}
	return all
}
