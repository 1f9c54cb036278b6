package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// interpreter is a Python that has boto3.
type interpreter struct {
	path    string // of the executable itself: a shim is slow and needs its user's files
	version string // of botocore
	bedrock bool   // botocore knows Bedrock by itself
}

// python asks the Python of a name what it has.
func python(name string) (*interpreter, error) {
	out, err := exec.Command(name, "-c", `
import sys, botocore, boto3
print(sys.executable)
print(botocore.__version__)
print("bedrock-runtime" in boto3.session.Session().get_available_services())
`).Output()
	told := strings.Fields(string(out))
	if err != nil || len(told) != 3 {
		return nil, missing("install boto3 for " + name + ": the Debian package is python3-boto3")
	}
	return &interpreter{told[0], told[1], told[2] == "True"}, nil
}

// boto3 is boto3 under the Python of a name.
func boto3(name string, does []string) *client {
	ask := sync.OnceValues(func() (*interpreter, error) { return python(name) })
	return &client{
		name: "boto3", does: does, explicit: true, unsigns: true,
		kinds: map[result]kind{
			refused:    {"AccessDeniedException", "AccessDeniedException", 403},
			throttled:  {"ThrottlingException", "ThrottlingException", 429},
			cutOff:     {"EventStreamError", "modelStreamErrorException", 0},
			badSecret:  {"ClientError", "InvalidSignatureException", 403},
			unknownKey: {"ClientError", "UnrecognizedClientException", 403},
			unsigned:   {"ClientError", "MissingAuthenticationTokenException", 403},
			noKey:      {"NoCredentialsError", "", 0},
		},
		version: func() string {
			i, err := ask()
			if err != nil {
				return name
			}
			return i.version
		},
		need: func(t testing.TB) {
			_, err := ask()
			have(t, "boto3 of "+name, err)
		},
		begin: func(t testing.TB, e environment) asker {
			i, err := ask()
			if err != nil {
				t.Fatal(err)
			}
			dir, err := filepath.Abs("python")
			if err != nil {
				t.Fatal(err)
			}
			return start(t, dir, e.variables(), i.path, "driver.py")
		},
		models: func() bool {
			i, err := ask()
			return err == nil && !i.bedrock
		},
	}
}

// dataPath lays AWS's model of the Bedrock Runtime API into a folder as botocore looks for
// it. Debian's botocore and AWS CLI are older than Bedrock, and know it with that folder as
// AWS_DATA_PATH.
func dataPath(t testing.TB) string {
	t.Helper()
	model, err := os.ReadFile(filepath.Join("..", "..", "runtimemodel", "bedrock-runtime.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	place := filepath.Join(dir, "bedrock-runtime", "2023-09-30")
	if err := os.MkdirAll(place, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, "service-2.json"), model, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}
