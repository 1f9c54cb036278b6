package bedrockhttp

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/hostname"
)

// checkOrigin refuses what no SDK sends: a request of a web page, and one for another
// host than this. hosts are names beside the loopback ones. The error is a
// *wire.Error.
//
// Forwarded and X-Forwarded-* are not read: nothing is decided by them.
func checkOrigin(r *http.Request, hosts []string) error {
	if what := fromBrowser(r); what != "" {
		return forbidden("the request has " + what + ", as a web page's has; web pages do not enter")
	}
	if what := oddForm(r); what != "" {
		return forbidden("the request has " + what + "; send it to this server directly, as the SDKs do")
	}
	if !isOwnHost(r.Host, hosts) {
		return forbidden("the Host header names neither a loopback address nor one of HandlerOptions.Hosts; call the server by 127.0.0.1, [::1] or localhost, or add the name to Hosts")
	}
	return nil
}

// fromBrowser names what shows that a browser sends a request, perhaps for a page of
// another site. Undici, the fetch of Node.js, has "Sec-Fetch-Mode: cors" on every
// request, and none of the others.
func fromBrowser(r *http.Request) string {
	for _, name := range []string{"Origin", "Referer", "Sec-Fetch-User", "Access-Control-Request-Method", "Access-Control-Request-Headers", "Access-Control-Request-Private-Network"} {
		if _, sent := r.Header[name]; sent {
			return "the header " + name
		}
	}
	for _, row := range []struct{ name, harmless string }{{"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Dest", "empty"}} {
		for _, value := range r.Header[row.name] {
			if value != row.harmless {
				return "the header " + row.name
			}
		}
	}
	if r.Method == http.MethodOptions {
		return "the method OPTIONS"
	}
	return ""
}

// oddForm names what a request to a proxy has, or one that two servers can read in two
// ways.
func oddForm(r *http.Request) string {
	switch {
	case r.Method == http.MethodConnect:
		return "the method CONNECT"
	case r.URL.IsAbs() || r.URL.Host != "" || r.RequestURI != "" && r.RequestURI[0] != '/':
		return "a whole URL in its first line"
	case len(r.Trailer) > 0:
		return "HTTP trailers, which nobody signs"
	case len(r.TransferEncoding) > 0 && (len(r.TransferEncoding) != 1 || r.TransferEncoding[0] != "chunked"):
		return "a Transfer-Encoding other than chunked"
	}
	for _, value := range r.Header["Host"] { // HTTP/2 may have both ":authority" and "host"
		if value != r.Host {
			return "two hosts"
		}
	}
	// An upgrade to HTTP/2 is an offer, which the Java client of net.http makes and the
	// server ignores.
	for _, value := range r.Header["Upgrade"] {
		if !strings.EqualFold(value, "h2c") {
			return "the header Upgrade"
		}
	}
	return ""
}

// isOwnHost reports whether a Host header names the loopback interface or one of hosts.
// A page of another site can let its own name point to this machine (DNS rebinding),
// and cannot choose the Host header. A client on a Unix socket sends localhost.
func isOwnHost(header string, hosts []string) bool {
	name, ok := hostname.CutPort(header)
	if !ok {
		return false
	}
	if bare, bracketed := strings.CutPrefix(name, "["); bracketed {
		ip, err := netip.ParseAddr(strings.TrimSuffix(bare, "]"))
		return err == nil && ip.Is6() && ip.Zone() == "" && (ip == netip.IPv6Loopback() || hasFold(hosts, ip.String()))
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.Is4() && ip.IsLoopback() || hasFold(hosts, name)
	}
	return strings.EqualFold(name, "localhost") || hasFold(hosts, name)
}

func hasFold(list []string, s string) bool {
	for _, entry := range list {
		if s != "" && strings.EqualFold(entry, s) {
			return true
		}
	}
	return false
}
