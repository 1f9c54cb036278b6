package bedrockhttp

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// String returns the key's name, and none of its secrets.
func (k Key) String() string { return "bedrockhttp.Key(" + refusal.Quoted(k.Name) + ")" }

// GoString implements fmt.GoStringer as String.
func (k Key) GoString() string { return k.String() }

// Format implements fmt.Formatter as String, for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue implements slog.LogValuer as String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText implements encoding.TextMarshaler as String.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// MarshalJSON implements json.Marshaler as String. WriteCredentials stores keys.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }
