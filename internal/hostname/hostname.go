// Package hostname reads the names by which a server is called.
package hostname

import (
	"net/netip"
	"strconv"
	"strings"
)

// CutPort returns a Host header without its port. The name of an IPv6 address keeps its
// brackets.
func CutPort(header string) (name string, ok bool) {
	name = header
	if i := strings.LastIndexByte(header, ':'); i >= 0 && i > strings.LastIndexByte(header, ']') {
		name = header[:i]
		if n, err := strconv.ParseUint(header[i+1:], 10, 16); err != nil || n == 0 {
			return "", false
		}
	}
	if strings.HasPrefix(name, "[") {
		return name, strings.HasSuffix(name, "]")
	}
	return name, name != "" && !strings.ContainsAny(name, ":@[]/%")
}

// Fault tells what is wrong with a name by which a server is called; empty for a name, or
// an address, that a Host header can have.
func Fault(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.String() == host && ip.Zone() == "" {
		return ""
	}
	name, ok := CutPort(host)
	switch {
	case host == "":
		return "it is empty"
	case !ok || name != host || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`*[]?#\`, r) }):
		return "it is no plain host name or IP address; write it without scheme, port and asterisk"
	case strings.HasSuffix(host, "."):
		return "it ends in a dot, which no SDK sends; leave the dot out"
	}
	return ""
}
