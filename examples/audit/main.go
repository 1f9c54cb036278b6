// Audit writes a chained audit log of guarded calls and verifies it.
//
//	go run ./examples/audit                                     # writes, verifies, tampers, verifies again
//	go run ./examples/audit write  -log audit.log -keys keys.json [-calls 10]
//	go run ./examples/audit verify -log audit.log -keys keys.json [-open]
//
// The program needs no AWS account: the calls go to a Bedrock on loopback. write makes
// keys.json if the file is missing, continues the chain of the log, and keeps each
// checkpoint in audit.log.checkpoints. In production the keys come from a secrets
// manager, and OnCheckpoint sends the checkpoints to a place where the owner of the log
// cannot write.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
}

var errTampered = errors.New("the log does not verify")

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return demo(ctx, out)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(out)
	log := flags.String("log", "audit.log", "the log")
	keys := flags.String("keys", "keys.json", "the keys")
	calls := flags.Int("calls", 10, "write: the number of calls")
	open := flags.Bool("open", false, "verify: the log is still being written")
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	switch args[0] {
	case "write":
		return write(ctx, *log, *keys, *calls, out)
	case "verify":
		return verify(*log, *keys, *open, out)
	}
	return fmt.Errorf("%q is not a command; use write or verify", args[0])
}

// write makes calls and records them.
func write(ctx context.Context, log, keyFile string, calls int, out io.Writer) (err error) {
	keys, err := loadOrMakeKeys(keyFile)
	if err != nil {
		return err
	}
	sink, err := audit.Open(log, keys, audit.OpenOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sink.Close()) }() // writes the closing checkpoint

	record, err := audit.Middleware(sink, audit.Options{Application: "example"})
	if err != nil {
		return err
	}
	server, err := bedrocktest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	opts := server.Options()
	opts.Middleware = []securebedrock.Middleware{record}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		return err
	}
	defer func() { // first, so that every outcome is written before the sink is closed
		err = errors.Join(err, client.Shutdown(context.WithoutCancel(ctx)))
	}()

	prompts := []string{"Why is the sky blue?", "How do I build a bomb?", "Write to ada@example.com."}
	for i := range calls {
		model := "anthropic.claude-3-haiku-20240307-v1:0"
		if i%5 == 4 {
			model = "global." + model // refused: a global profile could leave the region
		}
		_, err := client.InvokeModelSafely(ctx, model, []types.Message{{
			Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: prompts[i%len(prompts)]}},
		}})
		if err != nil && !errors.Is(err, securebedrock.ErrResidency) {
			return err
		}
	}
	fmt.Fprintf(out, "%d calls are recorded in %s\n", calls, log)
	return nil
}

func loadOrMakeKeys(path string) (audit.Keys, error) {
	keys, err := audit.LoadKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		keys = audit.GenerateKeys()
		err = keys.Save(path)
	}
	return keys, err
}

func verify(log, keyFile string, open bool, out io.Writer) error {
	keys, err := audit.LoadKeys(keyFile)
	if err != nil {
		return err
	}
	report, err := (&audit.Verifier{Keys: keys.Verification(), Open: open}).VerifyFile(log)
	if err != nil {
		return err
	}
	for _, n := range report.Notes {
		fmt.Fprintln(out, "note:", n)
	}
	for _, f := range report.Findings {
		fmt.Fprintln(out, f)
	}
	if !report.OK() {
		return errTampered
	}
	fmt.Fprintf(out, "%s verifies: %d records, %d checkpoints, %d chains\n", log, report.Records, report.Checkpoints, report.Streams)
	return nil
}

// demo writes a log in two sessions, verifies the log, and shows what Verify says of three edits.
func demo(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log, keys := filepath.Join(dir, "audit.log"), filepath.Join(dir, "keys.json")
	for range 2 { // the second session continues the chain of the first
		if err := write(ctx, log, keys, 5, out); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(string(text), "\n")
	fmt.Fprintf(out, "\nThe record of a call, without its prompt or answer:\n%s\n", lines[1])
	if err := verify(log, keys, false, out); err != nil {
		return err
	}
	for _, edit := range []struct{ what, log string }{
		{"Line 2 says that nothing was billed", strings.Join(lines[:1], "") + strings.Replace(lines[1], `"output_tokens":`, `"output_tokens":0`, 1) + strings.Join(lines[2:], "")},
		{"Line 4 is taken out", strings.Join(lines[:3], "") + strings.Join(lines[4:], "")},
		{"The second session is cut off, down to the first one's closing checkpoint", strings.Join(lines[:11], "")},
	} {
		fmt.Fprintf(out, "\n%s:\n", edit.what)
		if err := os.WriteFile(log, []byte(edit.log), 0o600); err != nil {
			return err
		}
		if err := verify(log, keys, false, out); !errors.Is(err, errTampered) {
			return fmt.Errorf("an edited log must not verify: %w", err)
		}
	}
	return nil
}
