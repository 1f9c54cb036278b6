package configfile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

// sound is the shortest file that loads.
const sound = "region: eu-central-1\nguardrail:\n  id: 0example0000\n  version: \"1\"\n"

// TestFaults names each fault, with its place.
func TestFaults(t *testing.T) {
	deep := strings.Repeat("[", 17)
	for _, row := range []struct{ what, text, want string }{
		// The text.
		{"nothing", "", "x.yaml: the file has no keys; write region and guardrail at least"},
		{"a comment alone", "# region\n", "x.yaml: the file has no keys"},
		{"65,537 bytes", sound + strings.Repeat("#\n", 40_000), "x.yaml: the file has more than 65536 bytes"},
		{"a long line", sound + "#" + strings.Repeat("a", 4096), "x.yaml:5:1: the line has more than 4096 bytes"},
		{"a byte order mark", "\ufeff" + sound, "x.yaml:1:1: the file begins with a byte order mark"},
		{"Latin-1", sound + "# \xe4\n", "x.yaml: the file is not UTF-8"},
		{"a tab that indents", "region: eu-central-1\nguardrail:\n\tid: x\n", "x.yaml:3:1: a tab; write spaces\n   3 |  id: x\n     | ^"},
		{"a tab in a value", "unguarded: a\tb\n", "x.yaml:1:13: a tab"},
		{"a tab in a block", "unguarded: |\n  a\tb\n", "x.yaml:2:4: a tab"},
		{"a mark of direction", "unguarded: a\u202eb\n", "x.yaml:1:13: the character U+202E cannot be seen; take it out"},
		{"a no-break space", "region:\u00a0eu-central-1\n", "x.yaml:1:8: the character U+00A0 cannot be seen"},
		{"a NUL", "region: \x00\n", "x.yaml:1:9: the character U+0000 cannot be seen"},
		{"a lone carriage return", "region: a\rb\n", "x.yaml:1:10: the character U+000D cannot be seen"},
		// YAML.
		{"an open bracket", "residency: [a, b\n", "x.yaml:1:12: sequence end token ']' not found"},
		{"an open quote", "region: \"x\n", "x.yaml:1:9: could not find end character of double-quoted text"},
		{"a key on the wrong column", "region: x\n models: [a]\n", "x.yaml:1:9: mapping value is not allowed"},
		{"deep brackets", "models: " + deep + "\n", "x.yaml:1:25: brackets more than 16 deep"},
		{"a deep list", "models:\n  " + strings.Repeat("- ", 17) + "a\n", "deep"},
		{"a list", "- region\n", "x.yaml:1:1: the file holds a list; write keys with values"},
		{"a word", "region\n", "x.yaml:1:1: the file holds a plain word"},
		{"an anchor", "region: &r eu-central-1\n", "x.yaml:1:9: an anchor or an alias; write the value where it is used"},
		{"an alias", "region: *r\n", "x.yaml:1:9: an anchor or an alias"},
		{"a merge key", "guardrail:\n  <<: {id: x}\n", "x.yaml:2:3: a merge key"},
		{"a tag", "region: !!str x\n", "x.yaml:1:9: a tag; leave it out"},
		{"a tag of a program", "region: !env HOME\n", "x.yaml:1:9: a tag; leave it out"},
		{"a directive", "%YAML 1.2\n---\n" + sound, "x.yaml:1:1: a directive; leave it out"},
		{"a question mark", "? region\n: x\n", "x.yaml:1:1: a key after a question mark"},
		{"a second document", sound + "---\n" + sound, "x.yaml:6:1: a second document; a file holds one"},
		{"a second document after three dots", sound + "...\n" + sound, "x.yaml:6:1: a second document; a file holds one"},
		{"a doubled key", "region: a\nregion: b\n", "x.yaml:2:1: mapping key \"region\" already defined at [1:1]"},
		{"a doubled key in quotes", "region: a\n\"region\": b\n", "already defined"},
		{"a doubled key inside", "guardrail: {id: a, id: b}\n", "already defined"},
		{"a colon within a key in braces", sound + "unguarded_operations: {a-v1:0: b}\n", "x.yaml:5:28: a colon without a space after it; put text with a colon in quotes, or write a space"},
		{"a colon within brackets in braces", sound + "role: {transitive_tag_keys: [a:0]}\n", "x.yaml:5:31: a colon without a space"},
		{"a key and a value that touch", sound + "role: {\"arn\":x}\n", "a colon without a space"},
		// Keys.
		{"an unknown key", sound + "colour: red\n", "x.yaml:5:1: \"colour\" is no key; the keys are region, residency, guardrail, "},
		{"a key mistyped", "regoin: x\n", "x.yaml:1:1: \"regoin\" is no key; did you mean region?"},
		{"a key in camel case", "guardrail: {id: x, allowDraft: true}\n", "x.yaml:1:20: \"allowDraft\" is no key of guardrail; did you mean allow_draft?"},
		{"a key in another case", "Region: x\n", "did you mean region?"},
		{"a number as a key", sound + "1: x\n", "x.yaml:5:1: \"1\" is no key"},
		{"code", sound + "middleware: []\n", "\"middleware\" is no key"},
		{"an unknown key of the account", sound + "account: {id: \"123456789012\", name: x}\n", "\"name\" is no key of account"},
		{"a variable as a key", "${KEY}: x\n", "x.yaml:1:1: a key with ${: nothing is substituted"},
		// Values.
		{"no value", "region:\n", "x.yaml:1:1: region: the key has no value; write one, or leave the key out"},
		{"null", "models: null\n", "x.yaml:1:1: models: the key has no value"},
		{"a tilde", "region: ~\n", "region: the key has no value"},
		{"an empty text", "unguarded: \"\"\n", "unguarded: the value is empty"},
		{"an empty list", sound + "models: []\n", "x.yaml:5:9: models: the list is empty; write an entry, or leave the key out"},
		{"an empty mapping", "guardrail: {}\n", "guardrail: the value is empty"},
		{"an empty entry", "models: [a, ]\nresidency:\n  -\n", "residency[0]: the key has no value"},
		{"a list for text", "region: [a]\n", "x.yaml:1:9: region: a list where text is due"},
		{"a mapping for text", "region: {a: b}\n", "region: a mapping where text is due"},
		{"text for a list", "models: a\n", "x.yaml:1:9: models: \"a\" where a list is due; write one entry a line"},
		{"text for a mapping", "guardrail: a\n", "guardrail: \"a\" where keys with values are due"},
		{"a number for text", "guardrail: {id: x, version: 1}\n", "x.yaml:1:29: guardrail.version: \"1\" could be a number or a truth value; write it in quotes"},
		{"an octal account", "accounts: [012345678901]\n", "accounts[0]: \"012345678901\" could be a number"},
		{"a truth value for text", "region: no\n", "region: \"no\" could be a number or a truth value"},
		{"a date for text", "unguarded: 2026-01-01\n", "unguarded: \"2026-01-01\" could be a number"},
		{"a fraction for text", "region: .5\n", "region: \".5\" could be a number"},
		{"hexadecimal for text", "region: 0x1f\n", "region: \"0x1f\" could be a number"},
		{"infinity for text", "region: .inf\n", "could be a number"},
		{"text for a truth value", "guardrail: {verify: yes}\n", "guardrail.verify: \"yes\" is not valid; write true or false"},
		{"quoted truth", "guardrail: {verify: \"true\"}\n", "guardrail.verify: \"true\" is not valid"},
		{"text for a number", "max_tokens: many\n", "max_tokens: \"many\" is not a whole number in range"},
		{"a quoted number", "max_tokens: \"5\"\n", "max_tokens: \"5\" is not a whole number"},
		{"a fraction", "max_tokens: 1.5\n", "max_tokens: \"1.5\" is not a whole number"},
		{"hexadecimal", "max_tokens: 0x10\n", "max_tokens: \"0x10\" is not a whole number"},
		{"octal", "max_tokens: 010\n", "max_tokens: \"010\" is not a whole number"},
		{"more than 32 bits", "max_tokens: 4294967297\n", "max_tokens: \"4294967297\" is not a whole number in range"},
		{"zero tokens", "max_tokens: 0\n", "max_tokens: 0 stands for the default; leave the key out"},
		{"zero time", "timeouts: {call: 0s}\n", "timeouts.call: 0 stands for the default"},
		{"a duration without a unit", "timeouts: {read: 5}\n", "timeouts.read: \"5\" is not a duration; write one such as 500ms, 5s or 1h"},
		{"a list for a duration", "timeouts: {read: [5s]}\n", "timeouts.read: a list where a duration is due"},
		{"a list among tags", "role: {tags: {a: [b]}}\n", "role.tags.a: a list where text is due"},
		{"a variable", "region: ${REGION}\n", "x.yaml:1:9: region: the value has ${: nothing is substituted"},
		{"a variable in quotes", "region: \"eu-${X}\"\n", "region: the value has ${"},
		{"a text in a block", "unguarded: |\n  why\n", "x.yaml:1:12: unguarded: a text over several lines; write it on one line"},
		{"a folded text", "unguarded: >-\n  why\n", "unguarded: a text over several lines"},
		{"a text that goes on", "unguarded: why\n  and how # c\n", "x.yaml:1:12: a text that parsers of YAML read differently; write it on one line, in double quotes"},
		{"a quoted text that goes on", "unguarded: \"why\n  and how\"\n", "a text that parsers of YAML read differently"},
		{"a text below its key", "region:\neu-central-1\n", "x.yaml:1:1: the key, its colon and its text stand on different lines; write key: text on one line"},
		{"an indented text below its key", "region:\n  eu-central-1\n", "the key, its colon and its text stand on different lines"},
		{"a colon below its key", "region\n  : eu-central-1\n", "x.yaml:1:1: unexpected key name"},
		{"an empty dash", "models:\n-\nregion: eu-central-1\n", "x.yaml:2:1: the value below is not indented; indent it, or write a value here"},
		{"an empty dash that is indented", "account:\n  resources:\n    agents:\n    -\n    id: x\n", "the value below is not indented"},
		{"a text that begins with a comma", "unguarded: , why\n", "x.yaml:1:12: a text that parsers of YAML read differently"},
		{"a key that begins with a comma", "role:\n  tags:\n    , a: b\n", "x.yaml:3:5: a text that parsers of YAML read differently"},
		{"an access key as a key", "role:\n  tags:\n    AKIA" + "IOSFODNN7EXAMPLE: b\n", "x.yaml:3:5: a key that holds a token or an access key"},
		{"a question mark", "unguarded: ?\n", "a text that parsers of YAML read differently"},
		{"an escape that is not JSON's", "unguarded: \"\\x41\"\n", "a text that parsers of YAML read differently"},
		{"an escaped NUL", "unguarded: \"a\\u0000\"\n", "unguarded: the value has a character that cannot be seen, by an escape"},
		{"an escaped mark in a key", "\"a\\u202e\": x\n", "a key with a character that cannot be seen, by an escape"},
		{"a variable in a list", "models: [\"${M}\"]\n", "models[0]: the value has ${"},
		// What the library says.
		{"no region", "unguarded: a test\n", "x.yaml: region: it is required"},
		{"a draft", strings.Replace(sound, `"1"`, "DRAFT", 1), "x.yaml:4:3: guardrail.version: DRAFT changes with every edit; name a published version, or set AllowDraft\n   4 |   version: DRAFT\n     |   ^"},
		{"no guardrail", "region: eu-central-1\n", "x.yaml: guardrail.id: call without the guardrail"},
		{"half a guardrail", "region: eu-central-1\nguardrail:\n  version: \"1\"\n", "x.yaml:2:1: guardrail.id: call without the guardrail"},
		{"a region that is none", "region: mars\nunguarded: a test\n", "x.yaml:1:1: region: \"mars\" is not the name of a region"},
		{"a role that is none", sound + "role:\n  arn: me\n", "x.yaml:6:3: role.arn: \"me\" is not the ARN of an IAM role"},
		{"a long session", sound + "role:\n  arn: arn:aws:iam::123456789012:role/x\n  duration: 13h\n", "x.yaml:7:3: role.duration: 13h0m0s is not between"},
		{"FIPS in Frankfurt", sound + "endpoint:\n  url: http://example.com\n", "x.yaml:5:1: endpoint: "},
		{"an operation that is none", sound + "unguarded_operations: {Fly: birds}\n", "x.yaml:5:1: unguarded_operations: \"Fly\" is not an operation"},
		{"an operation without a reason", sound + "unguarded_operations: {StartAsyncInvoke: \"\"}\n", "unguarded_operations: StartAsyncInvoke has no reason"},
		{"an account of eleven digits", sound + "account:\n  id: \"12345678901\"\n", "x.yaml:6:3: account.id: \"12345678901\" is not an account's twelve digits"},
		{"an agent that is none", sound + "account:\n  id: \"123456789012\"\n  resources:\n    agents:\n      - id: AGENT12345\n        aliases: [ALIAS12345]\n      - id: 7x\n        aliases: [ALIAS12345]\n", "x.yaml:11:9: account.resources.agents[1].id: \"7x\" is not"},
		{"an endpoint that is none", sound + "account:\n  id: \"123456789012\"\n  resources:\n    endpoints: [vpce-0123456789abcdef0, me]\n", "x.yaml:8:41: account.resources.endpoints[1]: \"me\" is not"},
		{"an account without a number", sound + "account:\n  partition: aws\n", "x.yaml:5:1: account.id: it is required"},
	} {
		t.Run(row.what, func(t *testing.T) {
			opts, acct, err := configfile.Parse([]byte(row.text), "x.yaml")
			if err == nil {
				t.Fatalf("loads as %+v %+v", opts, acct)
			}
			if !strings.Contains(err.Error(), row.want) {
				t.Errorf("got  %v\nwant %s", err, row.want)
			}
			var fault *configfile.Error
			if !errors.Is(err, securebedrock.ErrConfig) || !errors.As(err, &fault) || fault.File != "x.yaml" {
				t.Errorf("%#v is no fault of the file", err)
			}
			if opts.Region != "" || opts.Guardrail.ID != "" || acct.ID != "" {
				t.Errorf("a file with a fault gave %+v %+v", opts, acct)
			}
		})
	}
}

func TestEveryFaultIsReported(t *testing.T) {
	_, _, err := configfile.Parse([]byte("region: 5\nmodles: [a]\nmax_tokens: 0\n"), "x.yaml")
	for _, want := range []string{"x.yaml:1:9: region: ", "x.yaml:2:1: ", "x.yaml:3:13: max_tokens: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	_, _, err = configfile.Parse([]byte("region: mars\nmodels: [\" a\"]\naccount: {id: \"1\"}\n"), "x.yaml")
	for _, want := range []string{"x.yaml:1:1: region: ", "x.yaml:2:1: models: ", "guardrail.id: ", "x.yaml:3:11: account.id: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if !errors.Is(err, securebedrock.ErrGuardrailRequired) {
		t.Errorf("the rule is lost in %v", err)
	}
}

// TestNoErrorShowsASecret gives secrets in every place.
func TestNoErrorShowsASecret(t *testing.T) {
	access, secret, bearer := "AKIA"+"IOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/"+"bPxRfiCYEXAMPLEKEY", "ABSK"+"QmVkcm9ja0FQSUtleS1hYmNk"
	for i, text := range []string{
		"secret_access_key: " + secret + "\n",
		"secretAccessKey: \"" + secret + "\"\n",
		"credentials: {secret: " + secret + "}\n",
		"api-key: " + bearer + "\n",
		"password: x" + secret + "\n",
		"regoin: " + secret + "\n",
		"regoin: '" + secret + "\n",
		"region: [" + secret + "\n",
		"region: " + secret + ": " + secret + "\n",
		secret + ": x\n",
		secret + ": x\n" + secret + ": y\n",
		access + ": x\n",
		"region: " + access + "\n",
		"region: x\t" + secret + "\n",
		"region: [" + access + "]\n",
		"role: {tags: {key: " + access + "}}\n",
		"models: [" + bearer + "]\n",
		"region: " + bearer + " &a\n",
		"timeouts: {read: " + secret + "}\n",
		"max_tokens: " + secret + "\n",
		"region: " + secret + "\nunguarded: x\n",
		"region: *" + secret + "\n",
		"region: !" + secret + " x\n",
		"{" + secret + "}\n",
	} {
		_, _, err := configfile.Parse([]byte(text), "x.yaml")
		if err == nil {
			t.Errorf("%d: %s loads", i, text)
			continue
		}
		for _, part := range []string{access, bearer, "wJalr", "K7MDENG", "bPxRf"} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error shows it:\n%v", text, err)
			}
		}
	}
	for key, text := range map[string]string{"secret_access_key": secret, "session_token": "x", "password": "x", "apiKey": "x", "bearer": "x"} {
		_, _, err := configfile.Parse([]byte(key+": "+text+"\n"), "x.yaml")
		if err == nil || !strings.Contains(err.Error(), "a secret never stands in this file") || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestHostileTextsEndSoon gives texts that keep a parser of YAML busy.
func TestHostileTextsEndSoon(t *testing.T) {
	for _, piece := range []string{"[", "{", "a: [", "- ", "? ", "&a ", "!x ", "a:\n ", "[[],", "{a: ", "'", "\"", "a: |\n", "x: y\n", "*a ", "- - a\n", "---\n", ": ", "[\n", "- [\n", "]"} {
		text := []byte(strings.Repeat(piece, 65_536/len(piece)))
		began := time.Now()
		if _, _, err := configfile.Parse(text, "x.yaml"); err == nil {
			t.Errorf("%q loads", piece)
		}
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("%q takes %v", piece, d)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "securebedrock.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(sound, "\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	opts, acct, err := configfile.Load(path)
	if err != nil || opts.Region != "eu-central-1" || opts.Guardrail.Version != "1" || acct.ID != "" {
		t.Errorf("got %+v %+v %v", opts, acct, err)
	}
	link := filepath.Join(dir, "link.yaml") // as Kubernetes mounts a ConfigMap
	if err := os.Symlink(path, link); err == nil {
		if _, _, err := configfile.Load(link); err != nil {
			t.Errorf("a link: %v", err)
		}
	}
	if _, _, err := configfile.Load(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, _, err := configfile.Load(path + "x"); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("no file: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if _, _, err := configfile.Load("/dev/zero"); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a device: %v", err)
	}
	for mode, sound := range map[fs.FileMode]bool{0o400: true, 0o644: true, 0o664: true, 0o666: false, 0o602: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, _, err := configfile.Load(path)
		if (err == nil) != sound {
			t.Errorf("mode %04o: %v", mode, err)
		}
		if !sound && (err == nil || !strings.Contains(err.Error(), fmt.Sprintf("its mode is %04o: every user may change the rules; chmod o-w", mode))) {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

// FuzzParse shows that no text makes Parse panic, and that what loads is valid and is
// written and read again.
func FuzzParse(f *testing.F) {
	f.Add(sound)
	f.Add(configfile.Example())
	f.Add("region: &a [b, {c: *a}]\n--- !!x\n? |\n  a\n: >-\n b\n")
	f.Add(sound + "proxy: {listen: \"127.0.0.1:1\", credentials: a, callers: [{name: b, budget: {tokens: 1}}], unaudited: c}\n")
	f.Add("role:\n  tags: {a: 'b', \"c\": \"\\u0041\"}\n  duration: 1h # x\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := configfile.ParseFile([]byte(text), "")
		if err != nil {
			return
		}
		if err := file.Options.Validate(); err != nil {
			t.Errorf("loads and is not valid: %v", err)
		}
		if _, err := configfile.MarshalFile(file); err != nil {
			t.Errorf("loads and cannot be written: %v", err)
		}
	})
}
