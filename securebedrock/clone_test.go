package securebedrock

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// fill puts something into every field that v reaches. Functions and interfaces
// are the owner's; those that may stay shared are named here, so that a new one is
// thought about.
func fill(t *testing.T, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), path)
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				t.Errorf("%s.%s cannot be filled: say here how it is copied", path, v.Type().Field(i).Name)
				continue
			}
			fill(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 4))
		for i := range v.Len() {
			fill(t, v.Index(i), path+"[]")
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), path+"[]")
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, path+" key")
		fill(t, value, path+"{}")
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("filled")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7)
	case reflect.Func, reflect.Interface:
		if !slices.Contains([]string{"Options.Middleware[]", "Options.Profiles", "Options.Role.STS"}, path) {
			t.Errorf("%s is a %s, which clone shares: name it here, if that is meant", path, v.Type())
		}
	default:
		t.Errorf("%s is a %s, which this test cannot fill", path, v.Kind())
	}
}

// shared names every pointer, slice and map that two values have in common.
func shared(a, b reflect.Value, path string) (paths []string) {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() {
			return nil
		}
		if a.Pointer() == b.Pointer() {
			return []string{path}
		}
		return shared(a.Elem(), b.Elem(), path)
	case reflect.Struct:
		for i := range a.NumField() {
			paths = append(paths, shared(a.Field(i), b.Field(i), path+"."+a.Type().Field(i).Name)...)
		}
	case reflect.Slice:
		if a.Len() > 0 && a.Pointer() == b.Pointer() {
			return []string{path}
		}
		for i := range a.Len() {
			paths = append(paths, shared(a.Index(i), b.Index(i), path+"[]")...)
		}
	case reflect.Map:
		if a.Pointer() == b.Pointer() {
			return []string{path}
		}
		for _, k := range a.MapKeys() {
			paths = append(paths, shared(a.MapIndex(k), b.MapIndex(k), path+"{}")...)
		}
	}
	return paths
}

// clone copies every field of the Options, those that are added later too.
func TestOptionsCloneSharesNothing(t *testing.T) {
	var o Options
	fill(t, reflect.ValueOf(&o).Elem(), "Options")
	c := o.Clone()
	if !reflect.DeepEqual(o, c) {
		t.Errorf("the copy differs:\n%+v\n%+v", o, c)
	}
	if got := shared(reflect.ValueOf(o), reflect.ValueOf(c), "Options"); len(got) > 0 {
		t.Errorf("the copy shares %v", got)
	}
}

// spoil writes into everything that v reaches.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(k))
			spoil(value)
			v.SetMapIndex(k, value)
		}
	case reflect.String:
		v.SetString("spoilt")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Func, reflect.Interface:
		v.SetZero()
	}
}

// askedSTS keeps what it was asked, and answers with sessions that are soon over.
type askedSTS struct{ asked []*sts.AssumeRoleInput }

func (s *askedSTS) AssumeRole(_ context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	s.asked = append(s.asked, in)
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIAX"), SecretAccessKey: aws.String("s"),
		SessionToken: aws.String("t"), Expiration: aws.Time(time.Now().Add(time.Hour))}}, nil
}

// What the caller does to its Options after New changes neither what is enforced
// nor what the next renewal asks for.
func TestOptionsAreTheCallersNoMore(t *testing.T) {
	full := func(api *askedSTS) *Options {
		return &Options{
			Region: "eu-central-1", Residency: []string{"eu-central-1", "eu-west-1"}, Guardrail: Guardrail{ID: "abc", Version: "4"},
			Models: []string{"anthropic.*", "amazon.*"}, UnguardedOperations: map[string]string{"StartAsyncInvoke": "video"},
			Middleware: []Middleware{func(next Handler) Handler { return next }},
			Role: &Role{ARN: "arn:aws:iam::123456789012:role/app", SessionName: "claims", ExternalID: "ext", SourceIdentity: "alice", Duration: 30 * time.Minute,
				Tags: map[string]string{"team": "claims", "env": "test"}, TransitiveTagKeys: []string{"team"}, Policy: `{"Version":"2012-10-17","Statement":[]}`, STS: api},
		}
	}
	build := func(o *Options) *Client {
		t.Helper()
		c, err := NewFromConfig(aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("A", "s", "")}, *o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, _, err := c.credentials.retrieve(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	api, clean := new(askedSTS), new(askedSTS)
	o := full(api)
	c, want := build(o), build(full(clean))
	spoil(reflect.ValueOf(o).Elem())
	// The next renewal, after the first session is dropped.
	c.credentials.session.Refused("ASIAX")
	if _, _, err := c.credentials.retrieve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(api.asked) != 2 || !reflect.DeepEqual(api.asked[1], clean.asked[0]) {
		t.Errorf("the renewal asked for %+v, want %+v", api.asked[len(api.asked)-1], clean.asked[0])
	}
	// Every plain field of the guard is that of a client whose Options were left alone.
	a, b := reflect.ValueOf(c.g).Elem(), reflect.ValueOf(want.g).Elem()
	compared := 0
	for _, field := range reflect.VisibleFields(a.Type()) { // of the settings and the ruleset, too
		if field.Type == reflect.TypeFor[settings]() || field.Type == reflect.TypeFor[ruleset]() || field.Index[0] == 0 { // whose fields follow, and the lifetime
			continue
		}
		switch field.Type.Kind() {
		case reflect.String, reflect.Slice, reflect.Map, reflect.Bool, reflect.Int32, reflect.Struct:
			if slices.Contains([]string{"rules", "lifetime", "transport", "free", "duplexed", "middleware"}, field.Name) {
				continue // made by the guard
			}
			compared++
			if x, y := fmt.Sprint(a.FieldByIndex(field.Index)), fmt.Sprint(b.FieldByIndex(field.Index)); x != y {
				t.Errorf("guard.%s is %s, want %s", field.Name, x, y)
			}
		}
	}
	if len(c.g.middleware) != 1 || c.g.middleware[0] == nil {
		t.Errorf("guard.middleware has %d elements", len(c.g.middleware))
	}
	if compared < 12 {
		t.Errorf("compared %d fields", compared)
	}
}
