package securebedrock

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

type anySTS struct{}

func (anySTS) AssumeRole(context.Context, *sts.AssumeRoleInput, ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return nil, nil
}

type anyProfiles struct{}

func (anyProfiles) Destinations(context.Context, string, string) ([]string, error) { return nil, nil }

// fullOptions name every option by a value that is not its default.
func fullOptions() Options {
	return Options{
		Region: "eu-central-1", Residency: []string{"eu-west-1"}, Models: []string{"anthropic.*"}, Accounts: []string{"210987654321"}, MaxTokens: 7,
		Guardrail: Guardrail{ID: "abc", Version: "DRAFT", AllowDraft: true, Trace: "enabled_full", Stream: "async", Verify: true, AllowPartial: true},
		Role: &Role{ARN: "arn:aws:iam::123456789012:role/app", SessionName: "claims", ExternalID: "ext", SourceIdentity: "alice", Duration: 30 * time.Minute,
			Tags: map[string]string{"team": "claims"}, TransitiveTagKeys: []string{"team"}, Policy: "{}", STS: anySTS{}},
		Endpoint: Endpoint{FIPS: true, DualStack: true}, Timeouts: Timeouts{Connect: 1, Read: 2, Call: 3},
		Retry:      Retry{MaxAttempts: 9, MaxWait: 8, MaxBackoff: 7, ResendAfterReadTimeout: true},
		Middleware: []Middleware{func(next Handler) Handler { return next }}, Profiles: anyProfiles{},
		UnguardedOperations: map[string]string{"StartAsyncInvoke": "video"},
	}
}

// Each option by itself makes other settings. An option that settle does not read
// would be enforced nowhere.
func TestEveryOptionIsSettled(t *testing.T) {
	base, err := settle(fullOptions())
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	var each func(path []int, name string, typ reflect.Type)
	each = func(path []int, name string, typ reflect.Type) {
		for i := range typ.NumField() {
			field := typ.Field(i)
			index, path := field.Name, append(slices.Clone(path), i)
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				each(path, name+index+".", inner)
				continue
			}
			o := fullOptions()
			v := reflect.ValueOf(&o).Elem()
			for _, i := range path {
				if v.Kind() == reflect.Pointer {
					v = v.Elem()
				}
				v = v.Field(i)
			}
			if !alter(v) {
				t.Errorf("%s%s is of a kind that this test cannot alter", name, index)
				continue
			}
			compared++
			got, _ := settle(o)
			if reflect.DeepEqual(comparable(got), comparable(base)) {
				t.Errorf("Options.%s%s changes nothing in the settings, so nothing can enforce it", name, index)
			}
		}
	}
	each(nil, "", reflect.TypeFor[Options]())
	if compared < 30 {
		t.Errorf("%d options were compared", compared)
	}
}

// comparable has no functions, which reflect.DeepEqual takes for different.
func comparable(s settings) settings {
	s.rules = nil
	s.middleware = make([]Middleware, len(s.middleware))
	return s
}

// alter gives a field another value.
func alter(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "1")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Slice, reflect.Map, reflect.Interface:
		v.SetZero()
	default:
		return false
	}
	return true
}

// The settings have every default filled in, and nothing of the caller's.
func TestSettleFillsInDefaults(t *testing.T) {
	o := Options{Region: "eu-central-1", Guardrail: Guardrail{ID: "abc", Version: "1"}, Role: &Role{ARN: "arn:aws:iam::123456789012:role/app"}}
	s, err := settle(o)
	if err != nil {
		t.Fatal(err)
	}
	if s.guardrail.Trace != "enabled" || s.guardrail.Stream != "sync" || s.maxTokens != 1024 || s.timeouts.Connect != 5*time.Second || s.timeouts.Read != time.Minute {
		t.Errorf("settled as %+v", s)
	}
	if !slices.Equal(s.accounts, []string{"123456789012"}) || s.sessionName == "" || s.endpoint.Host != "bedrock-runtime.eu-central-1.amazonaws.com" {
		t.Errorf("settled as %+v", s)
	}
	o.Role.ARN = "spoilt"
	if s.role.ARN == "spoilt" {
		t.Error("the settings share the caller's Role")
	}
}

// Options are checked once and the endpoint is computed once on the way to a Client:
// each constructor settles the Options itself and calls no other constructor, and
// nothing else checks or computes.
func TestOptionsAreSettledOnce(t *testing.T) {
	callers := callersOf(t, "settle", "check", "newEndpoint", "New", "NewFromConfig", "Wrap", "build", "fromConfig")
	for callee, want := range map[string][]string{
		"settle":        {"New", "NewFromConfig", "Validate", "Wrap"},
		"newEndpoint":   {"settle"},
		"fromConfig":    {"New", "NewFromConfig"},
		"build":         {"Wrap", "fromConfig"},
		"NewFromConfig": nil,
		"Wrap":          nil,
	} {
		if got := callers[callee]; !slices.Equal(got, want) {
			t.Errorf("%s is called by %v, want %v", callee, got, want)
		}
	}
	for _, caller := range callers["check"] {
		if !slices.Contains([]string{"settle", "check", "converseCoverage"}, caller) {
			t.Errorf("%s checks Options, which settle has done", caller)
		}
	}
}

// callersOf finds the functions of the package that call a function or method of one of
// the names, each as often as it calls.
func callersOf(t *testing.T, names ...string) map[string][]string {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	callers := make(map[string][]string)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				callee := ""
				switch fun := call.Fun.(type) {
				case *ast.Ident:
					callee = fun.Name
				case *ast.SelectorExpr:
					if fun.Sel.Name == "check" { // the one method that is asked for
						callee = fun.Sel.Name
					}
				}
				if slices.Contains(names, callee) {
					callers[callee] = append(callers[callee], f.Name.Name)
				}
				return true
			})
		}
	}
	for name := range maps.Keys(callers) {
		slices.Sort(callers[name])
	}
	return callers
}
