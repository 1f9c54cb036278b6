// Localbedrock serves a test Bedrock and STS on a port, for any SDK and for the AWS CLI.
//
//	go run ./examples/localbedrock -plain
//	go run ./examples/localbedrock -addr 127.0.0.1:9443 -region eu-central-1
//
// The program prints commands to paste, then one line for each call, and ends on an
// interrupt. With -plain the server speaks http, as HTTP/1.1 and as HTTP/2 without TLS,
// which the JavaScript SDK uses. Without -plain the server speaks https with a
// certificate of its own, and the clients must trust that certificate.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/template"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "localbedrock:", err)
		os.Exit(1)
	}
}

// run serves until ctx is over.
func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("localbedrock", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main reports the error, once
	addr := flags.String("addr", "127.0.0.1:8787", "`host:port` on loopback to listen on; port 0 means any free port")
	region := flags.String("region", "us-east-1", "`region` that the server plays; calls must be signed for this region")
	plain := flags.Bool("plain", false, "http instead of https")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stdout, "usage: localbedrock [flags]")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return nil
	case err != nil:
		return fmt.Errorf("%w (-h prints the flags)", err)
	case flags.NArg() > 0:
		return fmt.Errorf("localbedrock takes no arguments besides flags; got %q (-h prints the flags)", flags.Args())
	}

	options := []bedrocktest.Option{bedrocktest.WithAddr(*addr), bedrocktest.WithRegion(*region)}
	if *plain {
		options = append(options, bedrocktest.WithPlainHTTP())
	}
	server, err := bedrocktest.Start(options...)
	if err != nil {
		return err
	}
	defer server.Close()
	var bundle string
	if !*plain {
		if bundle, err = writeCertificate(server); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.Remove(bundle)) }()
	}
	if err := printHowTo(stdout, server, bundle); err != nil {
		return err
	}
	logCalls(ctx, server, slog.New(slog.NewTextHandler(stdout, nil)))
	return nil
}

// printHowTo prints what to paste. bundle is the certificate's file, if any.
func printHowTo(out io.Writer, server *bedrocktest.Server, bundle string) error {
	t, err := template.New("").Parse(howTo)
	if err != nil {
		return err
	}
	return t.Execute(out, map[string]any{
		"Server": server, "Key": server.Credentials(), "Bundle": bundle, "Guardrail": bedrocktest.DefaultGuardrailID,
		"Model": "anthropic.claude-3-haiku-20240307-v1:0",
	})
}

// writeCertificate puts the certificate where clients can be pointed at it.
func writeCertificate(server *bedrocktest.Server) (string, error) {
	f, err := os.CreateTemp("", "localbedrock-*.pem")
	if err != nil {
		return "", err
	}
	_, err = f.Write(server.CertificatePEM())
	return f.Name(), errors.Join(err, f.Close())
}

// logCalls writes a line for each call that has been answered: identifiers and
// no content. At the end it writes those that have not, with the status 0.
func logCalls(ctx context.Context, server *bedrocktest.Server, log *slog.Logger) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	seen, waiting := 0, []int(nil)
	for over := false; !over; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			over = true
		}
		calls := server.Calls()
		for ; seen < len(calls); seen++ {
			waiting = append(waiting, seen)
		}
		waiting = slices.DeleteFunc(waiting, func(i int) bool {
			call := calls[i]
			answered := call.Status != 0
			switch {
			case !answered && !over:
			case call.Operation == "":
				log.Info("unknown operation", "path", call.Path, "protocol", call.Proto, "status", call.Status)
			default:
				log.Info(call.Operation, "model", call.ModelID, "protocol", call.Proto, "status", call.Status)
			}
			return answered
		})
	}
}

const howTo = `Bedrock Runtime and STS at {{.Server.URL}} ({{if .Bundle}}HTTP/1.1 and HTTP/2{{else}}HTTP/1.1 and h2c{{end}}), as if in {{.Server.Region}}.
The guardrail {{.Guardrail}} version 1 blocks "build a bomb" and masks e-mail addresses. An interrupt ends it.

Any client, first (test credentials, which open nothing else):
  unset AWS_PROFILE AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK
  export AWS_ACCESS_KEY_ID={{.Key.AccessKeyID}} AWS_SECRET_ACCESS_KEY={{.Key.SecretAccessKey}} AWS_REGION={{.Server.Region}} AWS_DEFAULT_REGION={{.Server.Region}}
{{- if .Bundle}}
  export AWS_CA_BUNDLE={{.Bundle}} NODE_EXTRA_CA_CERTS={{.Bundle}}
{{- end}}

AWS CLI:
  aws bedrock-runtime converse --endpoint-url {{.Server.URL}} --model-id {{.Model}} --messages '[{"role":"user","content":[{"text":"Hello"}]}]' --guardrail-config guardrailIdentifier={{.Guardrail}},guardrailVersion=1,trace=enabled
  aws sts assume-role --endpoint-url {{.Server.URL}} --role-arn arn:aws:iam::123456789012:role/demo --role-session-name demo

JavaScript:
  new BedrockRuntimeClient({ endpoint: "{{.Server.URL}}", region: "{{.Server.Region}}" })

Go:
  bedrockruntime.NewFromConfig(cfg, func(o *bedrockruntime.Options) { o.BaseEndpoint = aws.String("{{.Server.URL}}") })
  securebedrock.New(ctx, securebedrock.Options{Region: "{{.Server.Region}}", Endpoint: securebedrock.Endpoint{URL: "{{.Server.URL}}"}, Guardrail: securebedrock.Guardrail{ID: "{{.Guardrail}}", Version: "1"}})

Calls:
`
