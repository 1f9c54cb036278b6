package securebedrock_test

import (
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func inUTF16(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// A body that the guard could not inspect, or that two readers could take in two
// ways, is refused.
func TestBodyThatCannotBeInspected(t *testing.T) {
	const partial = `{"amazon-bedrock-guardrailConfig":{"tagSuffix":"x"},"messages":[]}`
	const plain = `{"messages":[]}`
	for _, row := range []struct {
		name, contentType, body string
		rule                    error
	}{
		{"UTF-16, little end first", "", inUTF16(partial, binary.LittleEndian), securebedrock.ErrGuardrailCoverage},
		{"UTF-16, big end first", "", inUTF16(partial, binary.BigEndian), securebedrock.ErrGuardrailCoverage},
		{"UTF-16 with its mark", "", "\xff\xfe" + inUTF16(partial, binary.LittleEndian), securebedrock.ErrGuardrailCoverage},
		{"UTF-16 that says so", "application/json; charset=utf-16le", inUTF16(partial, binary.LittleEndian), securebedrock.ErrGuardrailCoverage},
		{"UTF-8 that says UTF-16", "application/json; charset=utf-16le", plain, securebedrock.ErrGuardrailCoverage},
		{"UTF-8 that says Latin-1", "application/json;charset=iso-8859-1", plain, securebedrock.ErrGuardrailCoverage},
		{"a byte order mark", "", "\ufeff" + partial, securebedrock.ErrGuardrailCoverage},
		{"bytes that are no UTF-8", "", `{"a":"` + "\xff" + `"}`, securebedrock.ErrGuardrailCoverage},
		{"a list", "", "[" + partial + "]", securebedrock.ErrGuardrailCoverage},
		{"a string", "", `"text"`, securebedrock.ErrGuardrailCoverage},
		{"null", "", `null`, securebedrock.ErrGuardrailCoverage},
		{"two objects", "", plain + partial, securebedrock.ErrGuardrailCoverage},
		{"an object in two lines", "", plain + "\n" + partial, securebedrock.ErrGuardrailCoverage},
		{"nothing", "", "", securebedrock.ErrGuardrailCoverage},
		{"half an object", "", `{"messages":[`, securebedrock.ErrGuardrailCoverage},
		{"a comment", "", `{/* */"messages":[]}`, securebedrock.ErrGuardrailCoverage},
		{"a key twice", "", `{"messages":[],"messages":[{}]}`, securebedrock.ErrGuardrailCoverage},
		{"a key twice, escaped", "", `{"messages":[],"mess\u0061ges":[{}]}`, securebedrock.ErrGuardrailCoverage},
		{"the settings twice", "", `{"amazon-bedrock-guardrailConfig":{},"amazon-bedrock-guardrailConfig":{}}`, securebedrock.ErrGuardrailCoverage},
		{"the settings twice in two spellings", "", `{"amazon-bedrock-guardrailConfig":{},"AMAZON-bedrock-guardrailConfig":{}}`, securebedrock.ErrGuardrailOverride},
		{"a streaming mode twice", "", `{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"ASYNCHRONOUS","streamProcessingMode":"SYNCHRONOUS"}}`, securebedrock.ErrGuardrailOverride},
		{"a streaming mode twice, the other first", "", `{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"SYNCHRONOUS","streamProcessingMode":"ASYNCHRONOUS"}}`, securebedrock.ErrGuardrailOverride},
		{"a streaming mode twice in two spellings", "", `{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"SYNCHRONOUS","StreamProcessingMode":"SYNCHRONOUS"}}`, securebedrock.ErrGuardrailOverride},
		{"a streaming mode twice, escaped", "", `{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"SYNCHRONOUS","streamProcessingMod\u0065":"ASYNCHRONOUS"}}`, securebedrock.ErrGuardrailOverride},
		{"settings that are no object", "", `{"amazon-bedrock-guardrailConfig":[]}`, securebedrock.ErrGuardrailCoverage},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			var contentType *string
			if row.contentType != "" {
				contentType = &row.contentType
			}
			_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), ContentType: contentType, Body: []byte(row.body)})
			refusedBy(t, err, row.rule)
			_, err = c.Runtime().InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), ContentType: contentType, Body: []byte(row.body)})
			refusedBy(t, err, row.rule)
			nothingArrived(t, server)
		})
	}
}

// What is JSON in UTF-8 passes, in whatever way it is written.
func TestBodyThatCanBeInspected(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for name, contentType := range map[string]string{"none": "", "plain": "application/json", "with its charset": "application/json; charset=UTF-8"} {
		for _, body := range []string{
			" \n\t" + string(invokeBody("hello")) + "\n",
			string(invokeBody(`grüße \u0041 \" \\ } ] , :`)),
			`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"amazon-bedrock-guardrailConfig": {"streamProcessingMode" : "synchronous" } ,"messages":[{"role":"user","content":"hello"}]}`,
		} {
			in := &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(body)}
			if contentType != "" {
				in.ContentType = &contentType
			}
			if _, err := c.InvokeModel(t.Context(), in); err != nil {
				t.Errorf("content type %s, %s: %v", name, body, err)
			}
		}
	}
}
