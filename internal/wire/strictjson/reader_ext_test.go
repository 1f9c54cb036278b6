package strictjson_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire/strictjson"
)

// A union has one member. A second one is refused, and so is the first a second time.
func TestUnionHasOneMember(t *testing.T) {
	for _, row := range []struct{ body, want string }{
		{`{"role":"user","content":[{"text":"a"}]}`, ""},
		{`{"role":"user","content":[{"text":"a","text":"b"}]}`, "content[0].text stands twice"},
		{`{"role":"user","content":[{"text":"a","t\u0065xt":"b"}]}`, "content[0].text stands twice"},
		{`{"role":"user","content":[{"text":"a","cachePoint":{"type":"default"}}]}`, "content[0] has two members, text and cachePoint: send one"},
		{`{"role":"user","content":[{}]}`, "content[0] has no member, and needs one"},
	} {
		var m types.Message
		got := ""
		if err := strictjson.Read([]byte(row.body), m.Deserialize); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.body, got, row.want)
		}
	}
}
