package wire_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// sentRequest is what the SDK sends for an input.
type sentRequest struct {
	method, path, query string
	header              http.Header
	body                []byte
}

// wireOf returns what the SDK sends for an input. The SDK's check of required members
// is left out, so that absent ones are sent, too.
func wireOf(t testing.TB, input any) sentRequest {
	t.Helper()
	var sent *sentRequest
	client := bedrockruntime.New(bedrockruntime.Options{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		Retryer:     aws.NopRetryer{},
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			_, _ = stack.Initialize.Remove("OperationInputValidation")
			return nil
		}},
		HTTPClient: doFunc(func(r *http.Request) (*http.Response, error) {
			sent = &sentRequest{method: r.Method, path: r.URL.EscapedPath(), query: r.URL.RawQuery, header: r.Header}
			if r.Body != nil {
				sent.body, _ = io.ReadAll(r.Body)
			}
			w := httptest.NewRecorder()
			w.WriteHeader(http.StatusBadRequest)
			return w.Result(), nil
		}),
	})
	err := callSDK(t.Context(), client, input)
	if sent == nil {
		t.Fatalf("%T is not sent: %v", input, err)
	}
	return *sent
}

// decodeStrict reads a request as a door does.
func decodeStrict(r sentRequest) (any, error) {
	op, labels, ok := wire.Route(r.method, r.path)
	if !ok {
		return nil, wire.Invalid("no operation")
	}
	return op.DecodeStrict(&wire.Request{Method: r.method, Labels: labels, Query: r.query, Header: r.header, Body: r.body})
}

// apiHeader returns the headers of the API and the body's type.
func apiHeader(h http.Header) map[string][]string {
	have := make(map[string][]string)
	for key, values := range h {
		if key == "Accept" || key == "Content-Type" || strings.HasPrefix(key, "X-Amzn-Bedrock-") {
			have[key] = values
		}
	}
	return have
}

// plain returns JSON without the order of its keys and with the text of its numbers.
func plain(t testing.TB, body []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

// sameRequest reports what two requests differ in.
func sameRequest(t testing.TB, have, want sentRequest) {
	t.Helper()
	if have.method != want.method || have.path != want.path || have.query != want.query {
		t.Errorf("%s %s?%s, want %s %s?%s", have.method, have.path, have.query, want.method, want.path, want.query)
	}
	if h, w := apiHeader(have.header), apiHeader(want.header); !reflect.DeepEqual(h, w) {
		t.Errorf("headers %v, want %v", h, w)
	}
	if bytes.Equal(have.body, want.body) {
		return
	}
	if !strings.HasPrefix(want.header.Get("Content-Type"), "application/json") || !reflect.DeepEqual(plain(t, have.body), plain(t, want.body)) {
		t.Errorf("body\n%s\nwant\n%s", have.body, want.body)
	}
}

// requestTypes are the inputs that have a request of their own. The input of
// Bidirectional has a label alone.
func requestTypes() []any {
	return []any{
		&bedrockruntime.ConverseInput{}, &bedrockruntime.ConverseStreamInput{}, &bedrockruntime.InvokeModelInput{},
		&bedrockruntime.InvokeModelWithResponseStreamInput{}, &bedrockruntime.CountTokensInput{}, &bedrockruntime.ApplyGuardrailInput{},
		&bedrockruntime.InvokeGuardrailChecksInput{}, &bedrockruntime.StartAsyncInvokeInput{}, &bedrockruntime.GetAsyncInvokeInput{},
		&bedrockruntime.ListAsyncInvokesInput{},
	}
}

// input returns a random input that the SDK can send: labels are not empty, and headers
// have no control characters.
func (g *generator) input(like any) any {
	in := g.value(like)
	v := reflect.ValueOf(in).Elem()
	for _, name := range []string{"ModelId", "GuardrailIdentifier", "GuardrailVersion", "InvocationArn"} {
		if f := v.FieldByName(name); f.IsValid() {
			f.Set(reflect.ValueOf(aws.String(g.label())))
		}
	}
	switch in := in.(type) {
	case *bedrockruntime.InvokeModelInput:
		g.headers(in)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		g.headers((*bedrockruntime.InvokeModelInput)(in))
	case *bedrockruntime.StartAsyncInvokeInput:
		in.ClientRequestToken = aws.String(g.word()) // the SDK makes one of its own
	case *bedrockruntime.ListAsyncInvokesInput:
		if in.NextToken != nil {
			in.NextToken = aws.String("t" + g.label())
		}
	}
	return in
}

func (g *generator) headers(in *bedrockruntime.InvokeModelInput) {
	in.Body, in.ContentType = []byte(g.text()+"x"), aws.String(g.word()+"/"+g.word()) // the SDK has a default
	for _, field := range []**string{&in.Accept, &in.GuardrailIdentifier, &in.GuardrailVersion, &in.RequestMetadata} {
		if *field != nil {
			*field = aws.String("{" + g.word() + ` "é", ` + g.word() + "}")
		}
	}
}

// What the SDK sends for an input is decoded into the same input, and that input is
// sent as the same request.
func TestInputsRoundTrip(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 200
	}
	for _, like := range requestTypes() {
		t.Run(reflect.TypeOf(like).Elem().Name(), func(t *testing.T) {
			t.Parallel()
			for seed := range n {
				want := newGenerator(uint64(seed)).input(like)
				sent := wireOf(t, want)
				have, err := decodeStrict(sent)
				if err != nil {
					t.Fatalf("seed %d: %v\n%s %s\n%s", seed, err, sent.path, sent.query, sent.body)
				}
				sameRequest(t, wireOf(t, have), sent)
				sameValue(t, reflect.ValueOf(have), reflect.ValueOf(want), reflect.TypeOf(want).Elem().Name())
				if t.Failed() {
					t.Fatalf("seed %d: %s", seed, sent.body)
				}
			}
		})
	}
}

// sameValue is reflect.DeepEqual that compares documents by their JSON and says where
// two values differ.
func sameValue(t testing.TB, have, want reflect.Value, path string) {
	t.Helper()
	if t.Failed() {
		return
	}
	if have.Type() != want.Type() {
		t.Errorf("%s: %v, want %v", path, have.Type(), want.Type())
		return
	}
	switch want.Interface().(type) {
	case middleware.Metadata:
		return
	}
	if want.Type() == reflect.TypeFor[document.Interface]() {
		sameDocument(t, have.Interface(), want.Interface(), path)
		return
	}
	switch want.Kind() {
	case reflect.Struct:
		for i := range want.NumField() {
			if f := want.Type().Field(i); f.IsExported() {
				sameValue(t, have.Field(i), want.Field(i), path+"."+f.Name)
			} else if !f.Anonymous && !reflect.DeepEqual(have.Field(i).IsZero(), want.Field(i).IsZero()) {
				t.Errorf("%s.%s differs", path, f.Name)
			}
		}
	case reflect.Pointer, reflect.Interface:
		if have.IsNil() || want.IsNil() {
			if have.IsNil() != want.IsNil() {
				t.Errorf("%s: %v, want %v", path, have, want)
			}
			return
		}
		sameValue(t, have.Elem(), want.Elem(), path)
	case reflect.Slice:
		if have.IsNil() != want.IsNil() || have.Len() != want.Len() {
			t.Errorf("%s: %v, want %v", path, have, want)
			return
		}
		for i := range want.Len() {
			sameValue(t, have.Index(i), want.Index(i), path+"[]")
		}
	case reflect.Map:
		if have.IsNil() != want.IsNil() || have.Len() != want.Len() {
			t.Errorf("%s: %v, want %v", path, have, want)
			return
		}
		for _, key := range want.MapKeys() {
			if !have.MapIndex(key).IsValid() {
				t.Errorf("%s has no %q", path, key)
				return
			}
			sameValue(t, have.MapIndex(key), want.MapIndex(key), path+"{}")
		}
	default:
		if !reflect.DeepEqual(have.Interface(), want.Interface()) {
			t.Errorf("%s: %v, want %v", path, have, want)
		}
	}
}

func sameDocument(t testing.TB, have, want any, path string) {
	t.Helper()
	if have == nil || want == nil {
		if have != want {
			t.Errorf("%s: %v, want %v", path, have, want)
		}
		return
	}
	h, err := have.(document.Interface).MarshalSmithyDocument()
	if err != nil {
		t.Error(err)
	}
	w, err := want.(document.Interface).MarshalSmithyDocument()
	if err != nil {
		t.Error(err)
	}
	if !reflect.DeepEqual(plain(t, h), plain(t, w)) {
		t.Errorf("%s: %s, want %s", path, h, w)
	}
	var tree any // a document of a request decodes, as well as it encodes
	if err := have.(document.Interface).UnmarshalSmithyDocument(&tree); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

// A Bidirectional has a label alone.
func TestBidirectionalLabel(t *testing.T) {
	have, err := decodeStrict(sentRequest{
		method: "POST", path: "/model/arn%3Aaws%3Abedrock%3A%3A%3Afoundation-model%2Fa.b/invoke-with-bidirectional-stream",
		header: http.Header{"Content-Type": {wire.EventStreamType}},
	})
	in, ok := have.(*bedrockruntime.InvokeModelWithBidirectionalStreamInput)
	if err != nil || !ok || *in.ModelId != "arn:aws:bedrock:::foundation-model/a.b" {
		t.Errorf("%v, %v", have, err)
	}
}

// The documents of a request keep the text of numbers and the order of keys.
func TestDocumentsKeepTheirJSON(t *testing.T) {
	const raw = `{"z": 1e400, "a":12345678901234567890,  "m":[0.10,-0,1E+2,{"b":null,"a":"\u00e9<&>"}]}`
	for name, r := range map[string]sentRequest{
		"additionalModelRequestFields": {path: "/model/m/converse", body: []byte(`{"additionalModelRequestFields":` + raw + `}`)},
		"stream":                       {path: "/model/m/converse-stream", body: []byte(`{"additionalModelRequestFields":` + raw + `}`)},
		"tool use":                     {path: "/model/m/converse", body: []byte(`{"messages":[{"role":"user","content":[{"toolUse":{"input":` + raw + `}}]}]}`)},
		"tool result":                  {path: "/model/m/converse", body: []byte(`{"messages":[{"role":"user","content":[{"toolResult":{"content":[{"json":` + raw + `}]}}]}]}`)},
		"tool schema":                  {path: "/model/m/converse", body: []byte(`{"toolConfig":{"tools":[{"toolSpec":{"inputSchema":{"json":` + raw + `}}}]}}`)},
		"count: fields":                {path: "/model/m/count-tokens", body: []byte(`{"input":{"converse":{"additionalModelRequestFields":` + raw + `}}}`)},
		"count: tool use":              {path: "/model/m/count-tokens", body: []byte(`{"input":{"converse":{"messages":[{"content":[{"toolUse":{"input":` + raw + `}}]}]}}}`)},
		"count: tool schema":           {path: "/model/m/count-tokens", body: []byte(`{"input":{"converse":{"toolConfig":{"tools":[{"toolSpec":{"inputSchema":{"json":` + raw + `}}}]}}}}`)},
		"async":                        {path: "/async-invoke", body: []byte(`{"modelInput":` + raw + `}`)},
	} {
		r.method, r.header = "POST", http.Header{"Content-Type": {"application/json"}}
		in, err := decodeStrict(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if sent := wireOf(t, in); !bytes.Contains(sent.body, []byte(raw)) {
			t.Errorf("%s: %s", name, sent.body)
		}
	}
}
