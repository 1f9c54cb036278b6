package bedrockhttp_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Requests over HTTP/2 that say things in two ways, or in a way that HTTP/2 has not, are
// refused: by the door in its own words, or by the protocol.
func TestAdversaryHTTP2(t *testing.T) {
	d := newAttackDoor(t)
	type fields = [][2]string
	drop := func(f fields, name string) (out fields) {
		for _, h := range f {
			if h[0] != name {
				out = append(out, h)
			}
		}
		return out
	}
	set := func(name, value string) func(fields) fields {
		return func(f fields) fields {
			for i := range f {
				if f[i][0] == name {
					f[i][1] = value
				}
			}
			return f
		}
	}
	add := func(name, value string) func(fields) fields {
		return func(f fields) fields { return append(f, [2]string{name, value}) }
	}
	for _, row := range []struct {
		name   string
		spoil  func(fields) fields
		passes bool
	}{
		{"a good request", func(f fields) fields { return f }, true},
		{"no signature", func(f fields) fields { return drop(f, "authorization") }, false},
		{"a foreign authority", set(":authority", "evil.example"), false},
		{"an empty authority", set(":authority", ""), false},
		{"no authority", func(f fields) fields { return drop(f, ":authority") }, false},
		{"an authority with userinfo", set(":authority", "evil.example@127.0.0.1"), false},
		{"a host beside the authority", add("host", "evil.example"), false},
		{"two authorities", func(f fields) fields { return append(fields{{":authority", "evil.example"}}, f...) }, false},
		{"two paths", func(f fields) fields { return append(fields{{":path", "/"}}, f...) }, false},
		{"a pseudo-header behind the headers", add(":path", "/model/x/converse"), false},
		{"an unknown pseudo-header", func(f fields) fields { return append(fields{{":protocol", "websocket"}}, f...) }, false},
		{"an absolute path", set(":path", "http://evil.example/model/x/converse"), false},
		{"an asterisk", set(":path", "*"), false},
		{"CONNECT", set(":method", "CONNECT"), false},
		{"a method with a blank", set(":method", "POST /x HTTP/1.1\r\nHost: evil"), false},
		{"a path with a line's end", set(":path", "/model/x/converse\r\nX-Evil: 1"), false},
		{"an upper case name", add("X-Upper", "1"), false},
		{"a name with a colon", add("x:y", "1"), false},
		{"a value with a line's end", add("x-evil", "a\r\nx-amzn-bedrock-trace: DISABLED"), false},
		{"a value with NUL", add("x-evil", "a\x00b"), false},
		{"Connection", add("connection", "close"), false},
		{"Transfer-Encoding", add("transfer-encoding", "chunked"), false},
		{"Upgrade", add("upgrade", "h2c"), false},
		{"TE: gzip", add("te", "gzip"), false},
		{"a length above the body's", set("content-length", "100000"), false},
		{"a length below the body's", set("content-length", "5"), false},
		{"two lengths", add("content-length", "5"), false},
		{"an Origin", add("origin", "https://evil.example"), false},
		{"a guardrail's header on a Converse", add("x-amzn-bedrock-guardrailidentifier", "other00000"), false},
		{"a cookie in two parts", add("cookie", "a=b"), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			canary := fmt.Sprintf("canary%d", time.Now().UnixNano())
			before, logged := d.modelCalls(), len(d.log.String())
			r := d.signed(t, "Converse", "The password is "+canary+".")
			c := dialHTTP2(t, d)
			defer c.Close()
			if err := c.request(1, row.spoil(r.fields()), r.body); err != nil {
				t.Fatal(err)
			}
			got := c.outcome(1)
			if row.passes {
				if !strings.Contains(got.data, canary) {
					t.Errorf("%+v", got)
				}
				return
			}
			if strings.Contains(got.data, "stopReason") {
				t.Errorf("%+v", got)
			}
			d.unmoved(t, canary, before)
			if err := d.shows(got.data+d.log.String()[logged:], canary); err != nil {
				t.Errorf("the answer or the log shows %v", err)
			}
		})
	}
	eventually(t, "the connections are closed", func() bool { return d.conns.Load() == 0 && d.handlers.Load() == 0 })
}

// Floods of frames cost the door a bounded amount, and keep nobody else out. Most of
// the bounds are net/http's own.
func TestHTTP2Floods(t *testing.T) {
	d := newAttackDoor(t)
	pass := func(when string) {
		t.Helper()
		if got := d.send(t, "POST", d.signed(t, "Converse", "hello").bytes()); got.status != 200 {
			t.Errorf("%s: %s %s", when, got.verdict(), got.body)
		}
	}
	pass("before")
	eventually(t, "the connections are closed", func() bool { return d.conns.Load() == 0 })
	goroutines := runtime.NumGoroutine()
	for _, row := range []struct {
		name  string
		flood func(t *testing.T, c rawHTTP2) error
	}{
		{"rapid reset without a key", func(t *testing.T, c rawHTTP2) error {
			r := d.request(t, "Converse", "the flood's prompt")
			for i := range uint32(20_000) {
				if err := c.frame(h2Headers, h2EndHeaders, 2*i+1, hpack(r.fields())); err != nil {
					return err
				}
				if err := c.frame(h2Reset, 0, 2*i+1, binary.BigEndian.AppendUint32(nil, 8)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"rapid reset with a key", func(t *testing.T, c rawHTTP2) error {
			for i := range uint32(2_000) {
				r := d.signed(t, "Converse", "the flood's prompt")
				if err := c.frame(h2Headers, h2EndHeaders, 2*i+1, hpack(r.fields())); err != nil {
					return err
				}
				if err := c.frame(h2Reset, 0, 2*i+1, binary.BigEndian.AppendUint32(nil, 8)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"pings", func(_ *testing.T, c rawHTTP2) error {
			for range 200_000 {
				if err := c.frame(h2Ping, 0, 0, make([]byte, 8)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"settings", func(_ *testing.T, c rawHTTP2) error {
			for range 200_000 {
				if err := c.frame(h2Settings, 0, 0, nil); err != nil {
					return err
				}
			}
			return nil
		}},
		{"empty data", func(t *testing.T, c rawHTTP2) error {
			r := d.signed(t, "Converse", "the flood's prompt")
			if err := c.frame(h2Headers, h2EndHeaders, 1, hpack(r.fields())); err != nil {
				return err
			}
			for range 100_000 {
				if err := c.frame(h2Data, 0, 1, nil); err != nil {
					return err
				}
			}
			return nil
		}},
		{"headers without an end", func(t *testing.T, c rawHTTP2) error {
			r := d.signed(t, "Converse", "the flood's prompt")
			if err := c.frame(h2Headers, 0, 1, hpack(r.fields())); err != nil {
				return err
			}
			for range 20_000 {
				if err := c.frame(h2Continuation, 0, 1, hpack([][2]string{{"x-more", strings.Repeat("a", 1000)}})); err != nil {
					return err
				}
			}
			return nil
		}},
		{"a window that overflows", func(_ *testing.T, c rawHTTP2) error {
			for range 10 {
				if err := c.frame(h2Window, 0, 0, binary.BigEndian.AppendUint32(nil, 1<<31-1)); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c := dialHTTP2(t, d)
			var wg sync.WaitGroup
			wg.Go(func() { c.drainTo(20 * time.Second) })
			_ = row.flood(t, c) // the door may end the connection at any frame
			pass("during " + row.name)
			runtime.ReadMemStats(&after)
			if after.HeapAlloc > before.HeapAlloc+64<<20 {
				t.Errorf("the heap grew by %d bytes", after.HeapAlloc-before.HeapAlloc)
			}
			c.Close()
			wg.Wait()
			eventually(t, "the connections and handlers end", func() bool { return d.conns.Load() == 0 && d.handlers.Load() == 0 })
		})
	}
	if err := d.upstreamSaw("the flood's prompt"); err != nil {
		t.Error(err)
	}
	eventually(t, "the goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines+4 })
	pass("after")
}
