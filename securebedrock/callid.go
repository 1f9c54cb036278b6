package securebedrock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// newCallID is unique, and no secret: 130 random bits.
func newCallID() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var id [26]byte
	for i := 0; i < len(id); i += 13 {
		bits, last := rand.Uint64(), i+12 // an identifier, not a secret
		for j := i; j < last; j++ {
			id[j] = alphabet[bits&31]
			bits >>= 5
		}
		id[last] = alphabet[rand.Uint32()&31] // as above
	}
	return string(id[:])
}

// callIDKey joins Bedrock's invocation log to the client's records.
const callIDKey = "securebedrock-call-id"

// maxRequestMetadata entries may be sent (API_runtime_Converse, requestMetadata).
const maxRequestMetadata = 16

// withCallID returns a copy, so that nothing puts another ID there afterwards.
func withCallID(m map[string]string, id string) map[string]string {
	if m == nil {
		return map[string]string{callIDKey: id}
	}
	m = maps.Clone(m)
	if _, has := m[callIDKey]; has || len(m) < maxRequestMetadata {
		m[callIDKey] = id
	}
	return m
}

// maxMetadataHeader characters may be in that header (RequestMetadataJson).
const maxMetadataHeader = 8500

// withCallIDHeader does the same for InvokeModel, whose metadata is a JSON
// object in a header. Where there is no room for the ID, the call goes without
// one; a caller's own text under the key goes in no case.
func withCallIDHeader(field **string, id string) error {
	if strings.TrimSpace(aws.ToString(*field)) == "" {
		*field = aws.String(`{"` + callIDKey + `":"` + id + `"}`)
		return nil
	}
	m, ok := metadataOf([]byte(**field))
	if !ok {
		return refuse(ErrConfig, "RequestMetadata is not a JSON object of strings in UTF-8, each under a key of its own; write it as {\"key\": \"value\"}")
	}
	text := metadataText(withCallID(m, id))
	if len(text) > maxMetadataHeader {
		delete(m, callIDKey)
		text = metadataText(m)
	}
	if len(text) > maxMetadataHeader {
		return refuse(ErrConfig, fmt.Sprintf("RequestMetadata is longer than %d characters, the most that Bedrock takes; shorten it", maxMetadataHeader))
	}
	*field = &text
	return nil
}

// metadataOf reads the object. It returns false where encoding/json would drop or change
// a part: the first value of a key that stands twice, null, and what is no character.
func metadataOf(text []byte) (map[string]string, bool) {
	if !json.Valid(text) || bytes.TrimLeft(text, jsonSpace)[0] != '{' {
		return nil, false
	}
	m := make(map[string]string)
	for key, raw := range members(text) {
		var value *string
		if _, twice := m[key]; twice || json.Unmarshal(raw, &value) != nil || value == nil || strings.ContainsRune(key+*value, utf8.RuneError) {
			return nil, false
		}
		m[key] = *value
	}
	return m, true
}

// metadataText writes the object as short as JSON can.
func metadataText(m map[string]string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(m) // strings only
	return strings.TrimSuffix(b.String(), "\n")
}
