package audit_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func TestGeneratedKeysAreSavedAndLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	if _, err := audit.LoadKeys(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "GenerateKeys") {
		t.Errorf("a missing file: %v", err)
	}
	made := audit.GenerateKeys()
	if err := made.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := audit.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(loaded.MAC[0].Secret, made.MAC[0].Secret) || !loaded.Signer.Key.Equal(made.Signer.Key) || len(loaded.Signers) != 1 {
		t.Error("the loaded keys are others")
	}
	if err := audit.GenerateKeys().Save(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second Save must not overwrite keys: %v", err)
	}
	if other := audit.GenerateKeys(); other.MAC[0].ID == made.MAC[0].ID || bytes.Equal(other.MAC[0].Secret, made.MAC[0].Secret) {
		t.Error("two generations gave the same key")
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.LoadKeys(path); err == nil {
			t.Error("a file that others can read was taken")
		}
	}
}

func TestRotatedKeysVerifyWhatTheFormerOnesWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	keys := audit.GenerateKeys()
	var verifier audit.Keys
	for i := range 3 {
		log, err := audit.Open(path, keys, audit.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		write(t, log, i, i+1)
		keys = keys.Rotated()
		if err := log.Rotate(keys); err != nil {
			t.Fatal(err)
		}
		write(t, log, i, i+1)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		verifier = keys.Verification()
	}
	if report, err := audit.VerifyFile(path, verifier); err != nil || !report.OK() {
		t.Errorf("%v %v", report, err)
	}
	if report, err := audit.VerifyFile(path, audit.GenerateKeys()); err != nil || report.OK() {
		t.Errorf("other keys verify the log: %v %v", report, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range verifier.MAC[1:] { // the first wrote the log's first record
		if !bytes.Contains(text, []byte(`"key_id":"`+key.ID+`"`)) {
			t.Errorf("no record was written with the key %s", key.ID)
		}
		if !bytes.Contains(text, []byte(`"signer":"`+key.ID+`"`)) {
			t.Errorf("no checkpoint was signed by %s", key.ID)
		}
	}
	if verifier.Signer.Key != nil || verifier.Signer.ID != "" {
		t.Error("the verification keys hold the private key")
	}
	if _, err := audit.Open(path, verifier, audit.OpenOptions{}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("verification keys opened a log for writing: %v", err)
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	k := audit.GenerateKeys()
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(form, k) + fmt.Sprintf(form, k.MAC[0]) + fmt.Sprintf(form, k.Signer) + fmt.Sprintf(form, &k)
		for _, secret := range [][]byte{k.MAC[0].Secret, k.Signer.Key} {
			for _, written := range []string{string(secret), fmt.Sprint(secret), fmt.Sprintf("%x", secret), base64.StdEncoding.EncodeToString(secret)} {
				if strings.Contains(text, written) {
					t.Errorf("%s prints a secret", form)
				}
			}
		}
	}
}

func TestKeysOfAnotherFormAreRefused(t *testing.T) {
	good, err := audit.GenerateKeys().Encode()
	if err != nil {
		t.Fatal(err)
	}
	const secret = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
	for name, text := range map[string]string{
		"no text":            "",
		"no JSON":            "mac: " + secret,
		"a JSON list":        `["` + secret + `"]`,
		"an unknown field":   strings.Replace(string(good), `"mac"`, `"extra": 1, "mac"`, 1),
		"a second value":     string(good) + "{}",
		"another schema":     strings.Replace(string(good), "keys/1", "keys/2", 1),
		"no MAC key":         `{"schema":"securebedrock.audit.keys/1","mac":[],"signers":{}}`,
		"a short secret":     `{"schema":"securebedrock.audit.keys/1","mac":[{"id":"a","secret":"QUJD"}],"signers":{"a":"QUJD"}}`,
		"a doubled ID":       `{"schema":"securebedrock.audit.keys/1","mac":[{"id":"a","secret":"` + secret + `"},{"id":"a","secret":"` + secret + `"}],"signers":{"a":"` + secret + `"}}`,
		"a short seed":       `{"schema":"securebedrock.audit.keys/1","mac":[{"id":"a","secret":"` + secret + `"}],"signer":{"id":"a","seed":"QUJD"}}`,
		"another public key": `{"schema":"securebedrock.audit.keys/1","mac":[{"id":"a","secret":"` + secret + `"}],"signers":{"a":"` + secret + `"},"signer":{"id":"a","seed":"` + secret + `"}}`,
		"a secret too many":  strings.Replace(string(good), `"mac"`, `"`+secret+`": 1, "mac"`, 1),
		"a bad ID":           `{"schema":"securebedrock.audit.keys/1","mac":[{"id":"a b","secret":"` + secret + `"}],"signers":{"a":"` + secret + `"}}`,
		"a megabyte":         string(good) + strings.Repeat(" ", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := audit.ParseKeys([]byte(text))
			if !errors.Is(err, securebedrock.ErrConfig) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), secret[:12]) {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

func FuzzParseKeys(f *testing.F) {
	good, err := audit.GenerateKeys().Rotated().Encode()
	if err != nil {
		f.Fatal(err)
	}
	public, err := audit.GenerateKeys().Verification().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(public)
	f.Add([]byte(`{"schema":"securebedrock.audit.keys/1","mac":null,"signer":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := audit.ParseKeys(text)
		if err != nil {
			return
		}
		again, err := k.Encode()
		if err != nil {
			t.Fatalf("keys that were parsed cannot be encoded: %v", err)
		}
		twice, err := audit.ParseKeys(again)
		if err != nil {
			t.Fatalf("keys that were encoded cannot be parsed: %v", err)
		}
		if len(twice.MAC) != len(k.MAC) || len(twice.Signers) != len(k.Signers) || !twice.Signer.Key.Equal(k.Signer.Key) {
			t.Error("the second parse differs")
		}
	})
}
