package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

// sidecarFile reads a file of examples/sidecar, which only a checkout has.
func sidecarFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", "sidecar", name))
	if os.IsNotExist(err) {
		t.Skip("this is no checkout: examples/sidecar is missing")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSidecarConfiguration loads the file of the example.
func TestSidecarConfiguration(t *testing.T) {
	file, err := configfile.ParseFile([]byte(sidecarFile(t, "securebedrock.yaml")), "securebedrock.yaml")
	if err != nil || file.Proxy == nil {
		t.Fatal(err)
	}
	for _, path := range []string{file.Proxy.Credentials, file.Proxy.Audit.Log, file.Proxy.Audit.Keys} {
		if !filepath.IsAbs(path) {
			t.Errorf("%s is relative to a folder that is read-only in the unit and in the pod", path)
		}
	}
	for _, name := range []string{"README.md", "claims.service", "pod.yaml"} {
		text := sidecarFile(t, name)
		for _, want := range []string{file.Proxy.Credentials, "http://" + configfile.DefaultListen, file.Proxy.Callers[0].Name, file.Options.Region} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not name %s", name, want)
			}
		}
	}
}

// TestSidecarWithoutAnAccount runs the file and the clients' models that the READMEs name,
// before the server that examples/localbedrock serves.
func TestSidecarWithoutAnAccount(t *testing.T) {
	server := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP(), bedrocktest.WithRegion("eu-central-1"))
	text := sidecarFile(t, "local.yaml")
	// The address is localbedrock's default.
	for old, now := range map[string]string{"http://127.0.0.1:8787": server.URL(), "127.0.0.1:8990": "127.0.0.1:0", "credentials: keys/": "credentials: run/"} {
		if !strings.Contains(text, old) {
			t.Fatalf("local.yaml does not name %s", old)
		}
		text = strings.Replace(text, old, now, 1)
	}
	s := startProxy(t, t.TempDir(), text, server, nil)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, model := range map[string]string{"client.py": "eu.anthropic.claude-3-haiku-20240307-v1:0", "client.mjs": "eu.anthropic.claude-3-haiku-20240307-v1:0", "README.md": nova} {
		if !strings.Contains(sidecarFile(t, name), model) {
			t.Errorf("%s does not name %s", name, model)
		}
		if _, err := converse(t.Context(), s.sdk(t, "claims"), model, "What is a deductible?"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	keys := server.Credentials()
	for _, name := range []string{"README.md", filepath.Join("..", "..", "README.md")} {
		readme := sidecarFile(t, name)
		for _, line := range []string{
			"go run ./examples/localbedrock -plain -region " + server.Region(),
			"export AWS_ACCESS_KEY_ID=" + keys.AccessKeyID + " AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey + "\n",
			"go run ./securebedrock/cmd/securebedrock proxy -c examples/sidecar/local.yaml\n",
		} {
			if !strings.Contains(readme, line) {
				t.Errorf("%s has no line %q", name, line)
			}
		}
	}
}

// TestSidecarUnits asks systemd whether it takes the units, and how far the proxy's is
// locked down.
func TestSidecarUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	units := map[string]string{}
	for _, name := range []string{"securebedrock.service", "claims.service"} {
		text := strings.ReplaceAll(sidecarFile(t, name), "/usr/local/bin/securebedrock", self) // the programs must be there
		units[name] = filepath.Join(dir, name)
		if err := os.WriteFile(units[name], []byte(strings.ReplaceAll(text, "/usr/bin/python3", self)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"verify", "--man=no", "--recursive-errors=one", units["securebedrock.service"], units["claims.service"]},
		{"security", "--offline=yes", "--threshold=15", units["securebedrock.service"]}, // 1.5 of 10
	} {
		out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
		if args[0] == "verify" && strings.Contains(string(out), dir) {
			t.Errorf("systemd-analyze verify says\n%s", out)
		}
	}
}

// TestSidecarPod reads the pod: no container has rights, and those that share the keys run
// as one user.
func TestSidecarPod(t *testing.T) {
	type container struct {
		Name, Image, RestartPolicy string
		Args                       []string
		SecurityContext            struct {
			AllowPrivilegeEscalation *bool
			ReadOnlyRootFilesystem   bool
			RunAsUser                *int
			Capabilities             struct{ Drop []string }
		}
		StartupProbe, ReadinessProbe struct{ Exec struct{ Command []string } }
	}
	var pod struct {
		Spec struct {
			SecurityContext struct {
				RunAsNonRoot bool
				RunAsUser    int
			}
			InitContainers, Containers []container
		}
	}
	if err := yaml.Unmarshal([]byte(camelKeys(sidecarFile(t, "pod.yaml"))), &pod); err != nil {
		t.Fatal(err)
	}
	if !pod.Spec.SecurityContext.RunAsNonRoot || pod.Spec.SecurityContext.RunAsUser == 0 {
		t.Error("the pod may run as root")
	}
	all := slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers)
	if len(all) != 3 {
		t.Fatalf("the pod has %d containers", len(all))
	}
	for _, c := range all {
		s := c.SecurityContext
		if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || s.RunAsUser != nil || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
			t.Errorf("%s: %+v", c.Name, s)
		}
	}
	sidecar := all[1]
	if sidecar.RestartPolicy != "Always" {
		t.Error("the sidecar is none: without restartPolicy Always it is a step before the application")
	}
	for _, args := range [][]string{sidecar.Args, sidecar.StartupProbe.Exec.Command[1:], sidecar.ReadinessProbe.Exec.Command[1:]} {
		at := slices.Index(args, "-c") + 1
		missing := filepath.Join(t.TempDir(), "none.yaml")
		args[at] = missing
		if code, _, stderr := call("", args...); code != exitFault || !strings.Contains(stderr, missing+" is missing") {
			t.Errorf("%v is no command line: %s", args, stderr)
		}
	}
}

// camelKeys makes the keys of a manifest those that go-yaml expects of fields without tags.
func camelKeys(text string) string {
	return regexp.MustCompile(`(?m)[A-Za-z]+:(\s|$)`).ReplaceAllStringFunc(text, strings.ToLower)
}

// TestSidecarImage: the last stage has no shell and no root.
func TestSidecarImage(t *testing.T) {
	text := sidecarFile(t, "Dockerfile")
	last := text[strings.LastIndex(text, "\nFROM "):]
	for _, want := range []string{"distroless/static", ":nonroot", "\nUSER 65532:65532\n", "\nENTRYPOINT [\"/usr/local/bin/securebedrock\"]\n"} {
		if !strings.Contains(last, want) {
			t.Errorf("the last stage has no %q", want)
		}
	}
	if strings.Contains(last, "\nRUN ") {
		t.Error("the last stage runs a program, and distroless has no shell")
	}
	for _, array := range regexp.MustCompile(`CMD \[(.*)\]`).FindAllStringSubmatch(last, -1) {
		args := strings.Split(strings.ReplaceAll(array[1], `"`, ""), ", ")
		if args[0] == "/usr/local/bin/securebedrock" {
			args = args[1:]
		}
		t.Chdir(t.TempDir())
		args[slices.Index(args, "-c")+1] = "none.yaml"
		if code, _, stderr := call("", args...); code != exitFault || !strings.Contains(stderr, "none.yaml is missing") {
			t.Errorf("%v is no command line: %s", args, stderr)
		}
	}
}
