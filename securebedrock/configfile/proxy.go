package configfile

import "time"

// Proxy says how "securebedrock proxy" serves the guarded client to other processes. The
// zero value of a field is the strict choice. A path is absolute, or relative to the
// folder of the file.
type Proxy struct {
	// Listen is where the proxy listens: an address and a port, such as
	// "127.0.0.1:8990", or the path of a Unix socket, such as
	// "unix:/run/securebedrock/bedrock.sock". Zero means DefaultListen. An address that
	// is not a loopback address needs TLS and Hosts.
	Listen string
	// TLS is the certificate of the proxy. Zero means none.
	TLS ProxyTLS
	// Hosts are names and addresses that callers may call the proxy by, beside the
	// loopback ones. A request with another Host header is refused.
	Hosts []string
	// Credentials is the path of the AWS shared credentials file that the proxy writes
	// with the keys of Callers, one profile a caller. Required.
	Credentials string
	// KeepKeys makes the proxy take the keys of a credentials file that is there already.
	// Zero means that each start makes new keys.
	KeepKeys bool
	// Callers are the names of those who may call. Required.
	Callers []ProxyCaller
	// Audit is where the calls are recorded. Required, unless Unaudited says why not.
	Audit ProxyAudit
	// Unaudited is the reason why calls are not recorded. It excludes Audit.
	Unaudited string
	// Limits bound what callers can occupy.
	Limits ProxyLimits
	// Shutdown is how long calls in flight may go on after the proxy was told to end.
	// Zero means 30 s.
	Shutdown time.Duration
}

// ProxyTLS is a certificate. The two files are in PEM, and are read again after they have
// changed.
type ProxyTLS struct {
	Certificate string // the path of the certificate chain
	Key         string // the path of the private key
}

// ProxyCaller is one who may call.
type ProxyCaller struct {
	// Name stands in the records, and is the name of the profile in the credentials file.
	// It has at most 64 letters, digits, and "-" or "_" between them. Required.
	Name string
	// Models lists the models that the caller may use. It narrows Options.Models. Zero
	// means all that Options permit.
	Models []string
	// Budget bounds the caller's tokens. Zero means no bound.
	Budget ProxyBudget
	// Bearer makes the proxy write a bearer token for the caller, too, into a file beside
	// the credentials file. Zero means that only signed requests are accepted.
	Bearer bool
}

// ProxyBudget is a number of tokens for a time.
type ProxyBudget struct {
	Tokens int64         // required where there is a budget
	Window time.Duration // whole seconds; zero means 24 hours
}

// ProxyAudit is a chained log, as audit.Open keeps it.
type ProxyAudit struct {
	// Log is the path of the log. Required where there is a log.
	Log string
	// Keys is the path of the log's keys, as "securebedrock audit keys" makes them.
	// Required where there is a log.
	Keys string
	// Application stands in every record. Zero means "securebedrock proxy".
	Application string
	// SyncInterval is the time between two writes of the log to the disk. A loss of power
	// can take the records of this time. Zero means that each record is on the disk before
	// its call goes on.
	SyncInterval time.Duration
}

// ProxyLimits bound what callers can occupy.
type ProxyLimits struct {
	MaxBody        int64         // bytes of a request; zero means 32 MiB
	BodyTimeout    time.Duration // the longest silence while a request is read; zero means 30 s
	MaxInFlight    int           // requests at the same time; zero means 1024
	MaxConnections int           // zero means 4096
}

// DefaultListen is where a proxy listens whose file does not say.
const DefaultListen = "127.0.0.1:8990"

// unixPrefix begins the name of a Unix socket.
const unixPrefix = "unix:"

// Address returns the network and the address of Listen, as net.Listen takes them.
func (p *Proxy) Address() (network, address string) {
	switch path, unix := cutUnix(p.Listen); {
	case unix:
		return "unix", path
	case p.Listen == "":
		return "tcp", DefaultListen
	}
	return "tcp", p.Listen
}
