package configfile

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/hostname"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Validate reports every fault of the proxy, each wrapped in securebedrock.ErrConfig and
// naming its field. It needs neither the network nor the files.
func (p *Proxy) Validate() error {
	faults := refusal.Faults{Scope: "Proxy."}
	p.checkListen(&faults)
	p.checkHosts(&faults)
	p.checkFiles(&faults)
	p.checkCallers(&faults)
	p.checkAudit(&faults)
	p.checkLimits(&faults)
	return faults.Err()
}

func (p *Proxy) checkListen(faults *refusal.Faults) {
	if (p.TLS.Certificate == "") != (p.TLS.Key == "") {
		faults.Add("TLS", "a certificate and its key belong together; name both files, or leave tls out")
	}
	if path, unix := cutUnix(p.Listen); unix {
		switch {
		case path == "" || strings.HasSuffix(path, "/"):
			faults.Add("Listen", "%s names no socket; write one such as unix:/run/securebedrock/bedrock.sock", refusal.Quoted(p.Listen))
		case p.TLS != ProxyTLS{}:
			faults.Add("TLS", "a Unix socket has no TLS; leave tls out, or listen on an address")
		}
		return
	}
	_, address := p.Address()
	host, port, ok := splitPort(address)
	if !ok {
		faults.Add("Listen", "%s is no address with a port, such as %s, and no socket, such as unix:/run/securebedrock/bedrock.sock", refusal.Quoted(address), DefaultListen)
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		faults.Add("Listen", "%s is no port; write a number up to 65535", refusal.Quoted(port))
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
		faults.Add("Listen", "%s names no address; write %s, or the address of one interface", refusal.Quoted(address), refusal.Quoted("127.0.0.1:"+port))
	case err != nil || ip.Zone() != "":
		faults.Add("Listen", "%s is no IP address; a name can come to mean another interface", refusal.Quoted(host))
	case !ip.IsLoopback() && p.TLS == ProxyTLS{}:
		faults.Add("Listen", "%s is not a loopback address: prompts and keys would pass the network unencrypted; listen on 127.0.0.1 or a Unix socket, or give tls with a certificate", refusal.Quoted(host))
	case !ip.IsLoopback() && len(p.Hosts) == 0:
		faults.Add("Hosts", "they are required where listen is not a loopback address; list the names by which callers reach the proxy")
	}
}

func (p *Proxy) checkHosts(faults *refusal.Faults) {
	for i, h := range p.Hosts {
		if what := hostname.Fault(h); what != "" {
			faults.Add(index("Hosts", i), "%s: %s", refusal.Quoted(h), what)
		}
	}
}

// splitPort parts an address from its port. An IPv6 address stands in brackets.
func splitPort(address string) (host, port string, ok bool) {
	i := strings.LastIndexByte(address, ':')
	if i < 0 {
		return "", "", false
	}
	host, port = address[:i], address[i+1:]
	inner, bracket := strings.CutPrefix(host, "[")
	if bracket {
		host, bracket = strings.CutSuffix(inner, "]")
	}
	return host, port, bracket == strings.Contains(host, ":")
}

// checkFiles finds a path that two things would write, or that one would write over
// another's.
func (p *Proxy) checkFiles(faults *refusal.Faults) {
	if p.Credentials == "" {
		faults.Add("Credentials", "it is required; name the file that the proxy writes the callers' keys to, such as /run/securebedrock/credentials")
		return
	}
	socket, _ := cutUnix(p.Listen)
	for _, other := range []struct{ field, path string }{
		{"TLS.Certificate", p.TLS.Certificate}, {"TLS.Key", p.TLS.Key}, {"Audit.Log", p.Audit.Log}, {"Audit.Keys", p.Audit.Keys}, {"Listen", socket},
	} {
		if other.path == p.Credentials {
			faults.Add("Credentials", "%s is also the file of %s; give each a path of its own", refusal.Quoted(p.Credentials), keyOfField("Proxy."+other.field))
		}
	}
}

func (p *Proxy) checkCallers(faults *refusal.Faults) {
	if len(p.Callers) == 0 {
		faults.Add("Callers", "they are required, since nobody enters without a key; name one at least")
	}
	names := map[string]bool{}
	for i := range p.Callers {
		c, at := &p.Callers[i], index("Callers", i)
		switch plain := strings.ToLower(c.Name); {
		case c.Name == "":
			faults.Add(at+".Name", "it is required; the records and the credentials file have it")
		case !isCallerName(c.Name):
			faults.Add(at+".Name", "%s is no name; write up to 64 letters and digits, with - or _ between them", refusal.Quoted(c.Name))
		case plain == "default" && i > 0:
			faults.Add(at+".Name", "%s is the profile of the first caller, which SDKs take where AWS_PROFILE is not set; choose another name", refusal.Quoted(c.Name))
		case names[plain]:
			faults.Add(at+".Name", "%s is there twice; a name tells one caller from all others, whatever the case of its letters", refusal.Quoted(c.Name))
		default:
			names[plain] = true
		}
		for _, m := range c.Models {
			if m == "" || strings.TrimSpace(m) != m {
				faults.Add(at+".Models", "%s matches no model identifier", refusal.Quoted(m))
			}
		}
		c.Budget.check(faults, at+".Budget")
	}
}

func (b ProxyBudget) check(faults *refusal.Faults, at string) {
	switch {
	case b == ProxyBudget{}:
	case b.Tokens <= 0:
		faults.Add(at+".Tokens", "%d; a budget has one token at least", b.Tokens)
	case b.Window < 0 || b.Window%time.Second != 0:
		faults.Add(at+".Window", "%s; write whole seconds, such as 1h", b.Window)
	}
}

// isCallerName accepts what is a profile's name, a file's name and an identifier in a
// record alike.
func isCallerName(s string) bool {
	between := func(r rune) bool { return r == '-' || r == '_' }
	if len(s) > 64 || strings.Trim(s, "-_") != s {
		return false
	}
	for _, r := range s {
		if !between(r) && (r > 'z' || !isLetterOrDigit(byte(r))) {
			return false
		}
	}
	return true
}

func isLetterOrDigit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (p *Proxy) checkAudit(faults *refusal.Faults) {
	a := p.Audit
	switch {
	case a == ProxyAudit{} && p.Unaudited == "":
		faults.Add("Audit", "call without a record: name a log and its keys, or say in unaudited why there is none")
	case p.Unaudited != "" && a != ProxyAudit{}:
		faults.Add("Unaudited", "it excludes audit; take one of the two out")
	case p.Unaudited != "" && strings.TrimSpace(p.Unaudited) == "":
		faults.Add("Unaudited", "it gives no reason")
	case p.Unaudited != "":
	case a.Log == "":
		faults.Add("Audit.Log", "it is required where there is audit; name the file of the records")
	case a.Keys == "":
		faults.Add("Audit.Keys", "it is required where there is audit; make the keys by: securebedrock audit keys")
	case a.Keys == a.Log:
		faults.Add("Audit.Keys", "it is the log's own path; give each a file of its own")
	}
}

func (p *Proxy) checkLimits(faults *refusal.Faults) {
	for _, l := range []struct {
		field    string
		negative bool
	}{
		{"Limits.MaxBody", p.Limits.MaxBody < 0}, {"Limits.BodyTimeout", p.Limits.BodyTimeout < 0},
		{"Limits.MaxInFlight", p.Limits.MaxInFlight < 0}, {"Limits.MaxConnections", p.Limits.MaxConnections < 0},
		{"Shutdown", p.Shutdown < 0}, {"Audit.SyncInterval", p.Audit.SyncInterval < 0},
	} {
		if l.negative {
			faults.Add(l.field, "it is below zero; write a bound, or leave the key out")
		}
	}
}

func cutUnix(listen string) (path string, unix bool) {
	path, unix = strings.CutPrefix(listen, unixPrefix)
	if !unix {
		path = ""
	}
	return path, unix
}

func index(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }
