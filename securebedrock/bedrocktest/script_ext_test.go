package bedrocktest_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestReply(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			return bedrocktest.Text("Answer from " + *in.ModelId), nil
		})
		out, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
		if err != nil || textOf(t, out) != "Answer from "+probe.Model {
			t.Fatalf("%v, %v", out, err)
		}
		if got := stream(t, s, probe.AskStream("hi")); got.text != "Answer from "+probe.Model {
			t.Errorf("%+v (%v)", got, got.err)
		}
		s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			return nil, &types.ModelNotReadyException{Message: aws.String("loading")}
		})
		_, err = probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
		probe.WantCode(t, err, 429, "ModelNotReadyException")
		s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			return nil, errors.New("odd")
		})
		_, err = probe.Client(s).ConverseStream(t.Context(), probe.AskStream("hi"))
		probe.WantCode(t, err, 424, "ModelErrorException")
		s.Reply(nil)
		out, err = probe.Client(s).Converse(t.Context(), probe.Ask("hi"))
		if err != nil {
			t.Fatal(err)
		}
		probe.Contains(t, textOf(t, out), "You said")
	})
}

func TestReplyInvoke(t *testing.T) {
	s := bedrocktest.NewServer(t)
	const custom = "luma.ray-v2:0"
	s.ReplyInvoke(func(model string, body []byte) ([]byte, error) {
		switch {
		case model != custom:
			return nil, nil
		case bytes.Contains(body, []byte("fail")):
			return nil, &types.ModelNotReadyException{Message: aws.String("loading")}
		case bytes.Contains(body, []byte("list")):
			return []byte(`[{"n":1},{"n":2},{"n":3}]`), nil
		}
		return []byte(`{"said":"a b c d","usage":{"input_tokens":11,"output_tokens":12}}`), nil
	})
	invoke := func(model, body string) (*bedrockruntime.InvokeModelOutput, error) {
		return probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &model, Body: []byte(body)})
	}
	out, err := invoke(custom, `{"ask":"x y"}`)
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Body) != `{"said":"a b c d","usage":{"input_tokens":11,"output_tokens":12}}` {
		t.Errorf("%s", out.Body)
	}
	if probe.RawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Input-Token-Count") != "11" || probe.RawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Output-Token-Count") != "12" {
		t.Error("the counts of the body are not in the headers")
	}
	if _, err = invoke(custom, `{"ask":"fail"}`); err == nil {
		t.Fatal("no error")
	}
	probe.WantCode(t, err, 429, "ModelNotReadyException")
	if out, err = invoke(probe.Model, string(probe.InvokeBody(t, "hello there"))); err != nil {
		t.Fatal(err)
	}
	probe.Contains(t, string(out.Body), "hello there")
	for body, want := range map[string][]string{
		`{"ask":"x y"}`:  {`"said":"a b c d"`},
		`{"ask":"list"}`: {`{"n":1}`, `{"n":2}`, `"n":3`},
	} {
		chunks := probe.InvokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(custom), Body: []byte(body)})
		if len(chunks) != len(want) {
			t.Fatalf("%q", chunks)
		}
		for i := range want {
			probe.Contains(t, chunks[i], want[i])
		}
		probe.Contains(t, chunks[len(chunks)-1], "amazon-bedrock-invocationMetrics")
	}
	// The guardrail sees every string of a body in a form that is not known.
	out, err = probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
		ModelId: aws.String(custom), Body: []byte(`{"deep":{"in":["` + badWord + `"]}}`), ContentType: aws.String("application/json"),
		GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Body) != `{"amazon-bedrock-guardrailAction":"INTERVENED"}` {
		t.Errorf("%s", out.Body)
	}
	s.ReplyInvoke(nil)
	if _, err = invoke(custom, `{"ask":"x y"}`); err == nil {
		t.Error("ReplyInvoke was not removed")
	}
}
