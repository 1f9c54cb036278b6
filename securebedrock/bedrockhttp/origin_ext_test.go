package bedrockhttp_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Only what an SDK on this machine sends comes in: no web page's request, none for
// another host, and none that two servers can read in two ways. The door of this test
// needs no key, so that nothing else refuses.
func TestOrigin(t *testing.T) {
	server := bedrocktest.NewServer(t)
	h := bedrockhttp.Handler(newClient(t, server), bedrockhttp.HandlerOptions{Open: "a test", Hosts: []string{"Bedrock.internal", "10.1.2.3", "2001:db8::1"}})
	e := serve(t, h, "HTTP/1.1")
	address := strings.TrimPrefix(e.url, "http://")
	const path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"
	line := "POST " + path + " HTTP/1.1"
	length := fmt.Sprintf("Content-Length: %d", len(converseBody))
	host := "Host: " + address
	for _, row := range []struct {
		name   string
		head   []string
		status int
	}{
		{"the address", []string{line, host, length}, 200},
		{"localhost", []string{line, "Host: localhost", length}, 200},
		{"localhost with a port", []string{line, "Host: localhost:8080", length}, 200},
		{"LOCALHOST", []string{line, "Host: LOCALHOST", length}, 200},
		{"another loopback address", []string{line, "Host: 127.8.9.10:1", length}, 200},
		{"the loopback address of IPv6", []string{line, "Host: [::1]:8080", length}, 200},
		{"the same without a port", []string{line, "Host: [::1]", length}, 200},
		{"the same written out", []string{line, "Host: [0:0:0:0:0:0:0:1]", length}, 200},
		{"a name of Hosts in other letters", []string{line, "Host: bedrock.INTERNAL:443", length}, 200},
		{"an address of Hosts", []string{line, "Host: 10.1.2.3", length}, 200},
		{"an IPv6 address of Hosts", []string{line, "Host: [2001:db8:0::1]:443", length}, 200},
		{"Sec-Fetch-Mode: cors, of Node.js", []string{line, host, length, "Sec-Fetch-Mode: cors"}, 200},
		{"Sec-Fetch-Site: none", []string{line, host, length, "Sec-Fetch-Site: none"}, 200},
		{"an offer of h2c, of Java", []string{line, host, length, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"}, 200},
		{"X-Forwarded-Host, which nobody reads", []string{line, host, length, "X-Forwarded-Host: evil.com", "Forwarded: host=evil.com"}, 200},
		{"TE: trailers", []string{line, host, length, "TE: trailers"}, 200},

		{"another host", []string{line, "Host: evil.com", length}, 403},
		{"another host with the port", []string{line, "Host: evil.com:" + address[strings.LastIndex(address, ":")+1:], length}, 403},
		{"a name that begins with the address", []string{line, "Host: 127.0.0.1.evil.com", length}, 403},
		{"a name that begins with localhost", []string{line, "Host: localhost.evil.com", length}, 403},
		{"a name that ends in localhost", []string{line, "Host: evil.localhost", length}, 403},
		{"a name below one of Hosts", []string{line, "Host: x.bedrock.internal", length}, 403},
		{"a trailing dot", []string{line, "Host: localhost.", length}, 403},
		{"the address as a number", []string{line, "Host: 0x7f.1", length}, 403},
		{"a short address", []string{line, "Host: 127.1", length}, 403},
		{"a decimal address", []string{line, "Host: 2130706433", length}, 403},
		{"an octal address", []string{line, "Host: 0177.0.0.1", length}, 403},
		{"any address", []string{line, "Host: 0.0.0.0", length}, 403},
		{"any address of IPv6", []string{line, "Host: [::]", length}, 403},
		{"an address of IPv4 in IPv6", []string{line, "Host: [::ffff:127.0.0.1]", length}, 403},
		{"an IPv6 zone", []string{line, "Host: [::1%25lo]", length}, 403},
		{"IPv6 without brackets", []string{line, "Host: ::1", length}, 403},
		{"a port of letters", []string{line, "Host: localhost:http", length}, 403},
		{"an empty port", []string{line, "Host: localhost:", length}, 403},
		{"two ports", []string{line, "Host: localhost:80:80", length}, 403},
		{"the name of the metadata service", []string{line, "Host: 169.254.169.254", length}, 403},
		{"an empty host", []string{line, "Host:", length}, 403},
		{"Origin", []string{line, host, length, "Origin: https://evil.com"}, 403},
		{"Origin: null", []string{line, host, length, "Origin: null"}, 403},
		{"an empty Origin", []string{line, host, length, "Origin:"}, 403},
		{"an Origin of its own", []string{line, host, length, "Origin: http://" + address}, 403},
		{"Referer", []string{line, host, length, "Referer: http://" + address}, 403},
		{"Sec-Fetch-Site: cross-site", []string{line, host, length, "Sec-Fetch-Site: cross-site"}, 403},
		{"Sec-Fetch-Site: same-origin", []string{line, host, length, "sec-fetch-site: same-origin"}, 403},
		{"Sec-Fetch-Mode: no-cors", []string{line, host, length, "Sec-Fetch-Mode: no-cors"}, 403},
		{"Sec-Fetch-Mode: navigate", []string{line, host, length, "Sec-Fetch-Mode: navigate"}, 403},
		{"Sec-Fetch-Dest: document", []string{line, host, length, "Sec-Fetch-Dest: document"}, 403},
		{"a preflight", []string{"OPTIONS " + path + " HTTP/1.1", host, "Access-Control-Request-Method: POST"}, 403},
		{"OPTIONS", []string{"OPTIONS " + path + " HTTP/1.1", host}, 403},
		{"a whole URL", []string{"POST http://" + address + path + " HTTP/1.1", host, length}, 403},
		{"a whole URL of another host", []string{"POST http://evil.com" + path + " HTTP/1.1", host, length}, 403},
		{"a whole URL whose host is the address, for another Host", []string{"POST http://" + address + path + " HTTP/1.1", "Host: evil.com", length}, 403},
		{"CONNECT", []string{"CONNECT evil.com:443 HTTP/1.1", host}, 403},
		{"an upgrade to a web socket", []string{line, host, length, "Connection: Upgrade", "Upgrade: websocket"}, 403},
		{"trailers", []string{line, host, "Transfer-Encoding: chunked", "Trailer: X-Amz-Date"}, 403},

		// What net/http refuses itself.
		{"no host", []string{line, length}, 400},
		{"two hosts", []string{line, host, "Host: evil.com", length}, 400},
		{"userinfo", []string{line, "Host: localhost@evil.com", length}, 400},
		{"userinfo before localhost", []string{line, "Host: evil.com@localhost", length}, 400},
		{"a space in the host", []string{line, "Host: localhost evil.com", length}, 400},
		{"two lengths", []string{line, host, length, "Content-Length: 0"}, 400},
		{"a length of no digits", []string{line, host, "Content-Length: +5"}, 400},
		{"a Transfer-Encoding of another kind", []string{line, host, "Transfer-Encoding: gzip"}, 501},
		{"two Transfer-Encodings", []string{line, host, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"}, 501},
		{"chunked that is not the last", []string{line, host, "Transfer-Encoding: chunked, identity"}, 501},
		{"a space before the colon", []string{line, host, "Transfer-Encoding : chunked", length}, 400},
		{"an expectation of another kind", []string{line, host, length, "Expect: the-best"}, 417},
		{"HTTP/3.0", []string{"POST " + path + " HTTP/3.0", host, length}, 505},
		{"no version", []string{"POST " + path, host, length}, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := len(server.Calls())
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			body := converseBody
			if strings.Contains(strings.Join(row.head, "\n"), "chunked") {
				body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(converseBody), converseBody)
			}
			if _, err := io.WriteString(conn, strings.Join(row.head, "\r\n")+"\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"+body); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != row.status {
				t.Errorf("%d %s, want %d", resp.StatusCode, text, row.status)
			}
			if passed := len(server.Calls()) > before; passed != (row.status == 200) || strings.Contains(string(text), "evil") {
				t.Errorf("the call went on: %v; %s", passed, text)
			}
		})
	}
}

// The names of HandlerOptions.Hosts are plain ones.
func TestHostsAreChecked(t *testing.T) {
	for host, good := range map[string]bool{
		"bedrock": true, "bedrock.internal": true, "10.0.0.1": true, "2001:db8::1": true,
		"": false, "bedrock:8080": false, "*": false, "*.internal": false, "https://bedrock": false, "bedrock.": false,
		"[::1]": false, "a b": false, "a/b": false, "u@bedrock": false, "fe80::1%eth0": false,
	} {
		opts := bedrockhttp.HandlerOptions{Open: "a test", Hosts: []string{host}}
		if err := opts.Validate(); (err == nil) != good {
			t.Errorf("%q: %v", host, err)
		}
	}
}
