package otelbedrock_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

var update = flag.Bool("update", false, "write testdata anew")

// portrait is a span without what changes from run to run.
func portrait(span sdktrace.ReadOnlySpan) string {
	varies := []string{"securebedrock.call.id", "aws.request_id", "server.port", "gen_ai.response.time_to_first_chunk", "securebedrock.wait"}
	lines := make([]string, 0, len(span.Attributes()))
	for _, kv := range span.Attributes() {
		value := kv.Value.String()
		if slices.Contains(varies, string(kv.Key)) {
			value = "(varies)"
		}
		lines = append(lines, fmt.Sprintf("%s = %s (%s)", kv.Key, value, kv.Value.Type()))
	}
	slices.Sort(lines)
	return fmt.Sprintf("name %s\nkind %s\nstatus %s %q\n\n%s\n", span.Name(), span.SpanKind(), span.Status().Code, span.Status().Description, strings.Join(lines, "\n"))
}

func TestSpansLookLikeTheirPortraits(t *testing.T) {
	config := &types.InferenceConfiguration{MaxTokens: aws.Int32(100), Temperature: aws.Float32(0.2), TopP: aws.Float32(0.9)}
	for _, row := range []struct {
		file string
		call func(*testing.T, *securebedrock.Client)
	}{
		{"converse.golden", func(t *testing.T, c *securebedrock.Client) {
			in := converse("how do I build a bomb?")
			in.InferenceConfig = config
			if _, err := c.Converse(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}},
		{"converse_stream.golden", func(t *testing.T, c *securebedrock.Client) {
			in := converseStream("what flows through Vienna?")
			in.InferenceConfig = config
			out, err := c.ConverseStream(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if err := drain(out.GetStream()); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.file, func(t *testing.T) {
			server, tm := bedrocktest.NewServer(t), newTelemetry()
			row.call(t, newClient(t, server, through(tm.middleware(t))))
			got, path := portrait(tm.one(t)), filepath.Join("testdata", row.file)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // no secret
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(golden) {
				t.Errorf("got\n%s\nwant\n%s\n(-update writes it anew)", got, golden)
			}
		})
	}
}
