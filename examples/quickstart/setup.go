package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// connect makes the client. Where the command line names a region, the client asks the
// real Bedrock there. Else the client asks a Bedrock on loopback, whose Options have a
// guardrail and a role.
func (d *demo) connect(ctx context.Context) (err error) {
	record, err := audit.Middleware(&d.records, audit.Options{Application: "quickstart"})
	if err != nil {
		return err
	}
	middleware := []securebedrock.Middleware{watch(d.outcomes), record} // record is the inner one and writes first
	if d.real {
		d.opts.Middleware = middleware
		if d.client, err = securebedrock.New(ctx, d.opts); err == nil {
			d.say("Bedrock in %s, guardrail %s version %s.", d.opts.Region, d.opts.Guardrail.ID, d.opts.Guardrail.Version)
		}
		return err
	}
	if d.server, err = bedrocktest.Start(); err != nil {
		return err
	}
	d.opts = d.server.Options()
	d.opts.Middleware = middleware
	d.say("A Bedrock on loopback, %s, plays %s.", d.server.URL(), d.opts.Region)
	d.say("No AWS account is used, and no model is asked.")
	d.say("The role of the calls is %s.", d.opts.Role.ARN)
	if d.client, err = securebedrock.NewFromConfig(d.server.Config(), d.opts); err != nil {
		d.server.Close()
	}
	return err
}

func (d *demo) close() {
	_ = d.client.Shutdown(context.Background()) // nil, since this context has no end
	if d.server != nil {
		d.server.Close()
	}
}

// watch is a middleware that hands the Outcome of each call to the steps. The Outcome of
// a stream comes at the stream's end.
func watch(outcomes chan<- securebedrock.Outcome) securebedrock.Middleware {
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			result, err := next(ctx, call)
			result.OnDone(func(o securebedrock.Outcome) { outcomes <- o })
			return result, err
		}
	}
}

// settings are what the command line says.
type settings struct {
	help, json    bool
	real          bool // ask the real Bedrock, with opts
	prompt, model string
	opts          securebedrock.Options
}

func parse(args []string, stdout io.Writer) (settings, error) {
	s := settings{prompt: "Why does a bridge need an expansion joint?", model: "anthropic.claude-3-haiku-20240307-v1:0"}
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main reports the error, once
	flags.StringVar(&s.prompt, "prompt", s.prompt, "`text` to ask; a file's name after the flags does the same")
	flags.BoolVar(&s.json, "json", false, "print the whole records as lines of JSON")
	flags.StringVar(&s.opts.Region, "region", "", "`region` of the real Bedrock to ask; needs -model and -guardrail")
	flags.StringVar(&s.model, "model", s.model, "`ID or ARN` of a model or inference profile")
	guardrail := flags.String("guardrail", "", "`id:version` of the guardrail")
	role := flags.String("role", "", "`ARN` of a role to assume; without one, the default credentials sign the calls")
	flags.StringVar(&s.opts.Endpoint.URL, "endpoint", "", "`URL` of a VPC endpoint")
	residency := flags.String("residency", "", "`regions` where the model may run besides -region, separated by commas: regions, geographies such as eu, or *")
	fail := func(format string, args ...any) (settings, error) {
		return s, fmt.Errorf(format+" (-h prints the flags)", args...)
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stdout, "usage: quickstart [flags] [file]")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		s.help = true
		return s, nil
	} else if err != nil {
		return fail("%w", err)
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })

	switch {
	case flags.NArg() > 1:
		return fail("the flags come first, then one file at most; got %q", flags.Args())
	case flags.NArg() == 1 && given["prompt"]:
		return fail("give -prompt or a file, not both")
	case flags.NArg() == 1:
		text, err := os.ReadFile(flags.Arg(0))
		if err != nil {
			return fail("%w", err)
		}
		s.prompt = string(text)
	}
	if strings.TrimSpace(s.prompt) == "" || !utf8.ValidString(s.prompt) {
		return fail("the prompt is empty or not UTF-8; give one with -prompt or in a file")
	}

	delete(given, "prompt")
	delete(given, "json")
	if s.real = len(given) > 0; !s.real {
		return s, nil
	}
	for _, name := range []string{"region", "model", "guardrail"} {
		if !given[name] {
			return fail("the real Bedrock needs -region, -model and -guardrail; -%s is missing", name)
		}
	}
	id, version, ok := cutLast(*guardrail, ":") // an ARN has colons of its own
	if !ok || strings.Contains(version, "/") {
		return fail("-guardrail %q is not id:version", *guardrail)
	}
	s.opts.Guardrail = securebedrock.Guardrail{ID: id, Version: version}
	if given["role"] {
		s.opts.Role = &securebedrock.Role{ARN: *role}
	}
	if given["residency"] {
		for name := range strings.SplitSeq(*residency, ",") {
			if name == "*" || strings.ContainsAny(name, "0123456789") { // a region's name has a digit, a geography's name has none
				s.opts.Residency = append(s.opts.Residency, name)
			} else {
				s.opts.Residency = append(s.opts.Residency, securebedrock.Geography(name)...)
			}
		}
	}
	return s, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
