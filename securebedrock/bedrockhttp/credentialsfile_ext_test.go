package bedrockhttp_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

// The SDK reads the file by its usual variables, and calls the door with it.
func TestSDKReadsCredentials(t *testing.T) {
	first, second := bedrockhttp.NewKey("billing"), bedrockhttp.NewKey("Team-2/search@eu")
	d := newKeyedDoor(t, "HTTP/1.1", first, second)
	path := filepath.Join(t.TempDir(), "credentials")
	if err := bedrockhttp.WriteCredentials(path, first, second); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "AWS_CONFIG_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path)
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", d.url)
	for profile, key := range map[string]bedrockhttp.Key{"": first, first.Name: first, second.Name: second} {
		t.Setenv("AWS_PROFILE", profile)
		cfg, err := config.LoadDefaultConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		creds, err := cfg.Credentials.Retrieve(t.Context())
		if err != nil || creds.AccessKeyID != key.AccessKeyID || creds.SecretAccessKey != key.SecretAccessKey || creds.SessionToken != "" {
			t.Errorf("%q: %v, %v", profile, creds.AccessKeyID, err)
		}
		if _, err := bedrockruntime.NewFromConfig(cfg).Converse(context.WithoutCancel(t.Context()), converse("Hello "+profile)); err != nil {
			t.Fatalf("%q: %v", profile, err)
		}
		if caller := <-d.seen; caller.Name != key.Name {
			t.Errorf("%q: the caller is %q", profile, caller.Name)
		}
	}
}

// ReadCredentials returns what WriteCredentials was given.
func TestCredentialsRoundTrip(t *testing.T) {
	full := bedrockhttp.NewKey("billing")
	full.Models, full.Expires = []string{"amazon.nova-*", "arn:aws:bedrock:*:*:inference-profile/eu.*"}, time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)
	pair := bedrockhttp.NewKey("search")
	pair.Bearer = ""
	named := bedrockhttp.NewKey("default")
	path := filepath.Join(t.TempDir(), "credentials")
	for _, keys := range [][]bedrockhttp.Key{{full}, {full, pair}, {pair, full, bedrockhttp.NewKey("last")}, {named}, {named, full}} {
		if err := bedrockhttp.WriteCredentials(path, keys...); err != nil {
			t.Fatal(err)
		}
		got, err := bedrockhttp.ReadCredentials(path)
		if err != nil || len(got) != len(keys) {
			t.Fatalf("%v, %v", got, err)
		}
		for i := range keys {
			if !sameKey(got[i], keys[i]) {
				t.Errorf("key %d of %v differs: %v", i, keys, got[i])
			}
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// sameKey compares all exported fields.
func sameKey(a, b bedrockhttp.Key) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if f := x.Type().Field(i); f.IsExported() && !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			return false
		}
	}
	return true
}

// A file of keys is made where nobody else can read, replace or redirect it, and in the
// place of no other keys.
func TestCredentialsPlace(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits")
	}
	key := bedrockhttp.NewKey("billing")
	for _, row := range []struct {
		name    string
		prepare func(path string) error
		says    string
	}{
		{"no folder", func(path string) error { return os.Remove(filepath.Dir(path)) }, "no such file"},
		{"a folder that all may write", func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) }, "others can replace"},
		{"a folder that the group may write", func(path string) error { return os.Chmod(filepath.Dir(path), 0o770) }, "others can replace"},
		{"a sticky folder", func(path string) error { return os.Chmod(filepath.Dir(path), 0o777|os.ModeSticky) }, "others can replace"},
		{"a symlink", func(path string) error { return os.Symlink("elsewhere", path) }, "not a regular file"},
		{"a symlink to a file of ours", func(path string) error {
			if err := bedrockhttp.WriteCredentials(path+"-2", key); err != nil {
				return err
			}
			return os.Symlink(path+"-2", path)
		}, "not a regular file"},
		{"a folder", func(path string) error { return os.Mkdir(path, 0o700) }, "not a regular file"},
		{"an account's keys", func(path string) error {
			return os.WriteFile(path, []byte("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"), 0o600)
		}, "has not written"},
		{"an account's keys below our line", func(path string) error { return os.WriteFile(path, []byte("\n# securebedrock/1: keys"), 0o600) }, "has not written"},
		{"an empty file", func(path string) error { return os.WriteFile(path, nil, 0o600) }, "has not written"},
	} {
		folder := filepath.Join(t.TempDir(), "keys")
		path := filepath.Join(folder, "credentials")
		if err := errors.Join(os.Mkdir(folder, 0o700), row.prepare(path)); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		err := bedrockhttp.WriteCredentials(path, key)
		if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), key.SecretAccessKey) {
			t.Errorf("%s: %v", row.name, err)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s: the file has changed", row.name)
		}
		if left, _ := filepath.Glob(filepath.Join(folder, ".*")); len(left) != 0 {
			t.Errorf("%s: left behind: %v", row.name, left)
		}
	}
	second := bedrockhttp.NewKey("default")
	noPair := bedrockhttp.Key{Name: "n", Bearer: key.Bearer}
	for name, keys := range map[string][]bedrockhttp.Key{"no key": nil, "a second default": {key, second}, "no pair": {noPair}, "a fault": {{Name: "x"}}} {
		if err := bedrockhttp.WriteCredentials(filepath.Join(t.TempDir(), "c"), keys...); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

// ReadCredentials refuses what others can read, and what is not wholly in the form.
func TestReadCredentialsRefuses(t *testing.T) {
	key := bedrockhttp.NewKey("billing")
	path := filepath.Join(t.TempDir(), "credentials")
	if _, err := bedrockhttp.ReadCredentials(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if err := bedrockhttp.WriteCredentials(path, key); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	for name, bad := range map[string]string{
		"another first line": text[1:],
		"no key":             text[:strings.Index(text, "\n")+1],
		"a line before":      strings.Replace(text, "\n[default]", "a = b\n[default]", 1),
		"a field of its own": text + "aws_session_token = x\n",
		"a doubled profile":  text + text[strings.Index(text, "[billing]"):],
		"a torn key":         text[:len(text)-10],
		"a key torn less":    text[:len(text)-3],
		"no end of an end":   strings.Replace(text, "[billing]\n", "[billing]\n# expires = soon\n", 1),
		"an AWS key":         strings.ReplaceAll(text, key.AccessKeyID, "AKIAIOSFODNN7EXAMPLE"),
		"too long":           text + strings.Repeat("\n", 1<<20),
	} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if keys, err := bedrockhttp.ReadCredentials(path); err == nil || strings.Contains(err.Error(), key.SecretAccessKey) || strings.Contains(err.Error(), key.Bearer) {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := errors.Join(os.WriteFile(path, good, 0o600), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	if _, err := bedrockhttp.ReadCredentials(path); err == nil || !strings.Contains(err.Error(), "0640") {
		t.Errorf("a file that others can read: %v", err)
	}
}
