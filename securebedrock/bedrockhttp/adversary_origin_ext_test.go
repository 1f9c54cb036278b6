package bedrockhttp_test

import (
	"net"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A browser's request, and a request that takes the door for another host or a proxy,
// is refused although it is signed well.
func TestAdversaryOrigin(t *testing.T) {
	const denied, bad = "403 AccessDeniedException", "400"
	set := func(name, value string) func(*rawRequest) {
		return func(r *rawRequest) { r.set(name, value) }
	}
	host := func(change func(string) string) func(*rawRequest) {
		return func(r *rawRequest) { r.set("Host", change(r.get("Host"))) }
	}
	attacks := []attack{
		{name: "a page's Origin", spoil: set("Origin", "https://evil.example"), want: []string{denied}},
		{name: "a loopback page's Origin", spoil: set("Origin", "http://localhost:3000"), want: []string{denied}},
		{name: "the Origin of a file", spoil: set("Origin", "null"), want: []string{denied}},
		{name: "an empty Origin", spoil: set("Origin", ""), want: []string{denied}},
		{name: "a fetch from another site", spoil: set("Sec-Fetch-Site", "cross-site"), want: []string{denied}},
		{name: "a fetch from the same site", spoil: set("Sec-Fetch-Site", "same-origin"), want: []string{denied}},
		{name: "a navigation", spoil: set("Sec-Fetch-Mode", "navigate"), want: []string{denied}},
		{name: "a Referer", spoil: set("Referer", "https://evil.example/"), want: []string{denied}},
		{name: "a foreign host", spoil: host(func(string) string { return "evil.example" }), want: []string{denied}},
		{name: "a name that begins like loopback", spoil: host(func(string) string { return "127.0.0.1.evil.example" }), want: []string{denied}},
		{name: "a name that ends like localhost", spoil: host(func(string) string { return "evillocalhost" }), want: []string{denied}},
		{name: "AWS's own host", spoil: host(func(string) string { return "bedrock-runtime.us-east-1.amazonaws.com" }), want: []string{denied}},
		{name: "the address of all interfaces", spoil: host(func(string) string { return "0.0.0.0" }), want: []string{denied}},
		{name: "a loopback address in hexadecimal", spoil: host(func(string) string { return "0x7f.1" }), want: []string{denied}},
		{name: "a loopback address as one number", spoil: host(func(string) string { return "2130706433" }), want: []string{denied}},
		{name: "an instance's metadata address", spoil: host(func(string) string { return "169.254.169.254" }), want: []string{denied}},
		{name: "a host with userinfo", spoil: host(func(h string) string { return "evil.example@" + h }), want: []string{denied, bad}},
		{name: "a host and a path", spoil: host(func(h string) string { return h + "/evil.example" }), want: []string{denied, bad}},
		{name: "an empty host", spoil: host(func(string) string { return "" }), want: []string{denied, bad}},
		{name: "a zone", spoil: host(func(string) string { return "[::1%25evil]" }), want: []string{denied, bad}},
		{name: "two hosts, the second foreign", tamper: func(_ *attackDoor, r *rawRequest) { r.add("Host", "evil.example") }, want: []string{bad}},
		{name: "two equal hosts", tamper: func(_ *attackDoor, r *rawRequest) { r.add("Host", r.get("Host")) }, want: []string{bad}},
		{name: "no host", tamper: func(_ *attackDoor, r *rawRequest) { r.drop("Host") }, want: []string{bad}},
		{name: "no host in HTTP/1.0", tamper: func(_ *attackDoor, r *rawRequest) { r.drop("Host"); r.proto = "HTTP/1.0" }, want: []string{denied, bad}},
		{name: "an absolute target", tamper: func(_ *attackDoor, r *rawRequest) { r.target = "http://" + r.get("Host") + r.target }, want: []string{denied, bad}},
		{name: "an absolute target of another host", tamper: func(_ *attackDoor, r *rawRequest) { r.target = "http://evil.example" + r.target }, want: []string{denied, bad}},
		{name: "an absolute target of the loopback, a foreign host", tamper: func(d *attackDoor, r *rawRequest) {
			r.target = "http://" + d.addr + r.target
			r.set("Host", "evil.example")
		}, want: []string{denied, bad}},
		{name: "CONNECT", tamper: func(_ *attackDoor, r *rawRequest) {
			r.method, r.target = "CONNECT", "bedrock-runtime.us-east-1.amazonaws.com:443"
		}, want: []string{denied, bad}},
		{name: "CONNECT to the door itself", tamper: func(d *attackDoor, r *rawRequest) { r.method, r.target = "CONNECT", d.addr }, want: []string{denied, bad}},
		{name: "an upgrade to a websocket", tamper: func(_ *attackDoor, r *rawRequest) {
			r.set("Connection", "Upgrade")
			r.set("Upgrade", "websocket")
		}, want: []string{denied, bad}},
		{name: "another method by a header", tamper: func(_ *attackDoor, r *rawRequest) {
			r.method = "GET"
			r.set("X-HTTP-Method-Override", "POST")
		}, want: []string{"403 InvalidSignatureException", "404 UnknownOperationException", "405 UnknownOperationException", bad}},
	}
	for _, method := range []string{"OPTIONS", "TRACE", "HEAD", "PUT", "PATCH", "DELETE", "GET", "POSTX", "post"} {
		for _, operation := range []string{"Converse", "InvokeModelWithResponseStream"} {
			attacks = append(attacks, attack{
				name: method + " on " + operation, operation: operation,
				spoil: func(r *rawRequest) { r.method = method },
				want:  []string{denied, "404 UnknownOperationException", "405 UnknownOperationException", "404", "405"},
			})
		}
	}
	attacks = append(attacks, attack{
		name: "a browser's preflight", sign: unsigned,
		spoil: func(r *rawRequest) {
			r.method, r.body = "OPTIONS", nil
			r.drop("Content-Length")
			r.drop("Content-Type")
			r.set("Origin", "https://evil.example")
			r.set("Access-Control-Request-Method", "POST")
			r.set("Access-Control-Request-Headers", "authorization,content-type,x-amz-date")
		},
		want: []string{denied},
	})
	runAttacks(t, attacks)
}

// Headers that ask for something that the door does not give are not heeded: the call is
// the one that it would be without them, and no header goes on upstream.
func TestHeadersThatChangeNothing(t *testing.T) {
	d := newAttackDoor(t)
	for _, header := range [][2]string{
		{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-For", "10.0.0.1"}, {"X-Forwarded-Proto", "https"}, {"Forwarded", "for=10.0.0.1;host=evil.example"},
		{"X-Original-URL", "/model/x/invoke"}, {"X-Rewrite-URL", "/model/x/invoke"}, {"X-HTTP-Method-Override", "GET"}, {"TE", "trailers"},
		{"Upgrade", "h2c"}, {"Cookie", "a=b"}, {"X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"}, {"X-Api-Key", "a-key"}, {"Anthropic-Beta", "files"},
		{"Proxy-Authorization", "Basic YWxpY2U6c2VjcmV0"}, {"Proxy-Connection", "keep-alive"}, {"Max-Forwards", "0"}, {"Via", "1.1 evil"}, {"Accept-Encoding", "gzip, br"},
		{"If-None-Match", "*"}, {"Range", "bytes=0-1"}, {"Cache-Control", "only-if-cached"}, {"Prefer", "respond-async"},
	} {
		r := d.signed(t, "Converse", "hello")
		r.set(header[0], header[1])
		before := d.modelCalls()
		if got := d.send(t, "POST", r.bytes()); got.status != 200 || got.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %s %v %s", header[0], got.verdict(), got.header, got.body)
			continue
		}
		calls := d.upstream.Calls()
		call := calls[len(calls)-1]
		if d.modelCalls() != before+1 || call.Operation != "Converse" || call.Header.Get(header[0]) == header[1] {
			t.Errorf("%s went on: %s %v", header[0], call.Path, call.Header)
		}
		in, ok := call.Input.(*bedrockruntime.ConverseInput)
		if !ok || in.GuardrailConfig == nil || *in.GuardrailConfig.GuardrailIdentifier != bedrocktest.DefaultGuardrailID {
			t.Errorf("%s: the call has no guardrail: %s", header[0], call.Body)
		}
	}
}

// Names of the loopback are taken, however they are written.
func TestLoopbackHostsPass(t *testing.T) {
	d := newAttackDoor(t)
	_, port, err := net.SplitHostPort(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "localhost:" + port, "LOCALHOST:" + port, "127.0.0.1", "127.8.9.10:" + port, "[::1]", "[::1]:" + port} {
		r := d.request(t, "Converse", "hello")
		r.set("Host", host)
		at(0)(d, r)
		if got := d.send(t, "POST", r.bytes()); got.status != 200 {
			t.Errorf("Host %s: %s %s", host, got.verdict(), got.body)
		}
	}
	if got := d.send(t, "POST", []byte(strings.Repeat("\r\n", 1)+string(d.signed(t, "Converse", "hello").bytes()))); got.status != 200 && got.status != 400 {
		t.Errorf("an empty line before the request: %s", got.verdict())
	}
}
