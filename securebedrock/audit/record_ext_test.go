package audit_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// The form of the log: a change of it shows here, and needs another schema number
// where a reader could trip over it.
func TestSchema(t *testing.T) {
	line, err := filled(t).Line()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "record.golden.json", append(b.Bytes(), '\n'))

	least, _ := (&audit.Record{Schema: audit.Schema, Kind: audit.KindIntent, Time: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}).Line()
	golden(t, "empty.golden.json", append(least, '\n'))
}

// filled is a record in which every field is set.
func filled(t testing.TB) *audit.Record {
	t.Helper()
	r := new(audit.Record)
	n := 0
	fill(reflect.ValueOf(r).Elem(), &n)
	r.Schema = audit.Schema
	return r
}

func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("word" + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{1, 2, 3})
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]int{"image": 1, "text": *n}))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 24, 9, 0, 0, *n, time.UTC)))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	default:
		panic("fill " + v.Kind().String())
	}
}
