package securebedrock_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// What a caller writes under the key of the call's ID is never sent, however long
// its metadata is and however the key is written.
func TestForgedCallID(t *testing.T) {
	const key, forged = "securebedrock-call-id", "forged"
	fill := func(n int) string { // a JSON object of n characters with a forged ID
		head := `{"` + key + `":"` + forged + `","k":"`
		return head + strings.Repeat("x", n-len(head)-2) + `"}`
	}
	full := `{"` + key + `":"` + forged + `"`
	for i := range 15 {
		full += fmt.Sprintf(`,"k%02d":"v"`, i)
	}
	sixteen := strings.Replace(full, `"`+key+`":"`+forged+`"`, `"k99":"v"`, 1) + "}"
	for _, row := range []struct {
		name, metadata string
		sent           bool // with the call's own ID
		refused        bool
	}{
		{"short", `{"` + key + `":"` + forged + `"}`, true, false},
		{"escaped", `{"\u0073ecurebedrock-call-id":"` + forged + `"}`, true, false},
		{"twice", `{"` + key + `":"` + forged + `","` + key + `":"` + forged + `2"}`, false, true},
		{"another key twice", `{"k":"a","k":"b"}`, false, true},
		{"another key twice, once escaped", `{"k":"a","\u006b":"b"}`, false, true},
		{"a null", `{"k":null}`, false, true},
		{"null alone", `null`, false, true},
		{"half of a surrogate pair", `{"k":"\ud800"}`, false, true},
		{"half of a surrogate pair in a key", `{"\ud800":"v"}`, false, true},
		{"bytes that are not UTF-8", "{\"k\":\"\xff\"}", false, true},
		{"an empty object", ` { } `, true, false},
		{"16 entries", full + "}", true, false},
		{"16 others", sixteen, false, false},
		{"near the limit", fill(8490), false, false},
		{"at the limit", fill(8500), false, false},
		{"over the limit", fill(9000), false, true},
		{"over the limit without the ID", strings.Replace(fill(9000), key, "another-key", 1), false, true},
		{"near the limit without the ID", `{"k":"` + strings.Repeat("x", 8485) + `"}`, false, false},
		{"with signs that JSON can escape", `{"` + key + `":"` + forged + `","k":"` + strings.Repeat("&", 8400) + `"}`, true, false},
		{"no object", `["` + forged + `"]`, false, true},
		{"an object and more", `{"k":"v"}{"` + key + `":"` + forged + `"}`, false, true},
		{"not of strings", `{"` + key + `":["` + forged + `"]}`, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option)
			calls := map[string]func() error{
				"InvokeModel": func() error {
					_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello"), RequestMetadata: &row.metadata})
					return err
				},
				"InvokeModelWithResponseStream": func() error {
					out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello"), RequestMetadata: &row.metadata})
					if err == nil {
						out.GetStream().Close()
					}
					return err
				},
			}
			for op, call := range calls {
				err := call()
				if row.refused {
					refusedBy(t, err, securebedrock.ErrConfig)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				got := server.Calls()[len(server.Calls())-1]
				header := got.Header.Get("X-Amzn-Bedrock-Request-Metadata")
				var m map[string]string
				if json.Unmarshal([]byte(header), &m) != nil || strings.Contains(header, forged) || len(header) > 8500 {
					t.Fatalf("%s sent %d characters: %.200s", op, len(header), header)
				}
				if own := m[key]; (own != "") != row.sent || own != "" && own != rec.calls[len(rec.calls)-1].ID {
					t.Errorf("%s sent the ID %q", op, own)
				}
			}
			if row.refused {
				nothingArrived(t, server)
			}
		})
	}
	t.Run("Converse's map", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		for n := range 17 {
			m := map[string]string{key: forged}
			for i := range n {
				m[fmt.Sprintf("k%02d", i)] = "v"
			}
			in := converse("hello")
			in.RequestMetadata = m
			_, _ = c.Converse(t.Context(), in) // more than 16 are Bedrock's to refuse
			if m[key] != forged {
				t.Error("the caller's map was changed")
			}
		}
		for _, call := range calls(server, "Converse") {
			if strings.Contains(string(call.Body), forged) {
				t.Errorf("sent %s", call.Body)
			}
		}
	})
}

func TestCallID(t *testing.T) {
	full := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprintf("k%02d", i)] = "v"
		}
		return m
	}
	own := full(16)
	delete(own, "k00")
	own["securebedrock-call-id"] = "the caller's"
	for _, row := range []struct {
		name string
		m    map[string]string
		want bool
	}{{"15 entries", full(15), true}, {"16 entries", full(16), false}, {"16 with the key", own, true}} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option)
			in := converse("hello")
			in.RequestMetadata = row.m
			if _, err := c.Converse(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			sent := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput).RequestMetadata
			if (sent["securebedrock-call-id"] == rec.calls[0].ID) != row.want || len(sent) > 16 {
				t.Errorf("sent %v", sent)
			}
		})
	}
	t.Run("a header that would grow too long stays", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		long := `{"k":"` + strings.Repeat("v", 8480) + `"}`
		if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello"), RequestMetadata: &long}); err != nil {
			t.Fatal(err)
		}
		if got := calls(server, "InvokeModel")[0].Header.Get("X-Amzn-Bedrock-Request-Metadata"); got != long {
			t.Errorf("sent %d characters", len(got))
		}
	})
	t.Run("a header that is no JSON", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello"), RequestMetadata: aws.String("team=claims")})
		refusedBy(t, err, securebedrock.ErrConfig)
		nothingArrived(t, server)
	})
}
