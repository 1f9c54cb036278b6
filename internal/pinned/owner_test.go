package pinned

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// made is the transport for an endpoint's URL.
func made(owner aws.HTTPClient, url string) (*http.Transport, error) {
	var faults refusal.Faults
	t := Transport(Owner{Client: owner, Plain: Plain(url)}, Timeouts{Connect: 5 * time.Second, Read: time.Minute}, new(Connections), &faults)
	return t, faults.Err()
}

// classified says what becomes of a field of the owner's transport or TLS
// configuration. Exactly one of the first three is set.
type classified struct {
	kept    func(*http.Transport) bool // it is in ours
	refused bool
	ignored string // why that is right

	set func(*http.Transport)
}

func tlsOf(f func(*tls.Config)) func(*http.Transport) {
	return func(t *http.Transport) { t.TLSClientConfig = new(tls.Config); f(t.TLSClientConfig) }
}

func keptTLS(f func(*tls.Config) bool) func(*http.Transport) bool {
	return func(t *http.Transport) bool { return f(t.TLSClientConfig) }
}

const (
	serverOnly   = "it is for servers"
	speed        = "it serves speed, and is ours"
	optionsTimes = "Timeouts says it"
)

// ownerTransportFields is the list: a field that Go adds fails the test below until it is
// classified here.
func ownerTransportFields() map[string]classified {
	return map[string]classified{
		"Proxy": {set: func(t *http.Transport) { t.Proxy = http.ProxyURL(&url.URL{Host: "proxy"}) },
			kept: func(t *http.Transport) bool { return t.Proxy != nil }},
		"OnProxyConnectResponse": {set: func(t *http.Transport) {
			t.OnProxyConnectResponse = func(context.Context, *url.URL, *http.Request, *http.Response) error { return nil }
		}, kept: func(t *http.Transport) bool { return t.OnProxyConnectResponse != nil }},
		"DialContext": {set: func(t *http.Transport) { t.DialContext = failingDial }, kept: usesFailingDial},
		"Dial": {set: func(t *http.Transport) {
			t.Dial = func(network, addr string) (net.Conn, error) { return failingDial(context.Background(), network, addr) } //nolint:staticcheck // an owner may still use it
		}, kept: usesFailingDial},
		"DialTLSContext": {set: func(t *http.Transport) { t.DialTLSContext = failingDial }, refused: true},
		"DialTLS": {set: func(t *http.Transport) {
			t.DialTLS = func(string, string) (net.Conn, error) { return nil, errDialled } //nolint:staticcheck // refused
		}, refused: true},
		"TLSClientConfig":        {ignored: "its fields have their own list"},
		"TLSHandshakeTimeout":    {ignored: optionsTimes},
		"DisableKeepAlives":      {set: func(t *http.Transport) { t.DisableKeepAlives = true }, kept: func(t *http.Transport) bool { return t.DisableKeepAlives }},
		"DisableCompression":     {ignored: "compression is always off"},
		"MaxIdleConns":           {ignored: speed},
		"MaxIdleConnsPerHost":    {ignored: speed},
		"MaxConnsPerHost":        {set: func(t *http.Transport) { t.MaxConnsPerHost = 3 }, kept: func(t *http.Transport) bool { return t.MaxConnsPerHost == 3 }},
		"IdleConnTimeout":        {set: func(t *http.Transport) { t.IdleConnTimeout = time.Second }, kept: func(t *http.Transport) bool { return t.IdleConnTimeout == time.Second }},
		"ResponseHeaderTimeout":  {ignored: optionsTimes},
		"ExpectContinueTimeout":  {ignored: "no request has an Expect header"},
		"TLSNextProto":           {set: func(t *http.Transport) { t.TLSNextProto = nextProto("spdy/3") }, refused: true},
		"ProxyConnectHeader":     {set: func(t *http.Transport) { t.ProxyConnectHeader = http.Header{"A": {"b"}} }, kept: func(t *http.Transport) bool { return t.ProxyConnectHeader.Get("A") == "b" }},
		"GetProxyConnectHeader":  {set: func(t *http.Transport) { t.GetProxyConnectHeader = noHeader }, kept: func(t *http.Transport) bool { return t.GetProxyConnectHeader != nil }},
		"MaxResponseHeaderBytes": {set: func(t *http.Transport) { t.MaxResponseHeaderBytes = 999 }, kept: func(t *http.Transport) bool { return t.MaxResponseHeaderBytes == 999 }},
		"WriteBufferSize":        {set: func(t *http.Transport) { t.WriteBufferSize = 999 }, kept: func(t *http.Transport) bool { return t.WriteBufferSize == 999 }},
		"ReadBufferSize":         {set: func(t *http.Transport) { t.ReadBufferSize = 999 }, kept: func(t *http.Transport) bool { return t.ReadBufferSize == 999 }},
		"ForceAttemptHTTP2":      {ignored: "HTTP/2 is on unless something says no, and false is the zero value"},
		"HTTP2":                  {ignored: "its fields have their own list"},
		"Protocols": {set: func(t *http.Transport) { t.Protocols = new(http.Protocols); t.Protocols.SetHTTP1(true) },
			kept: func(t *http.Transport) bool { return !t.Protocols.HTTP2() && !t.ForceAttemptHTTP2 }},
	}
}

func ownerTLSFields() map[string]classified {
	return map[string]classified{
		"Rand":                                {set: tlsOf(func(c *tls.Config) { c.Rand = rand.Reader }), refused: true},
		"Time":                                {set: tlsOf(func(c *tls.Config) { c.Time = time.Now }), refused: true},
		"Certificates":                        {set: tlsOf(func(c *tls.Config) { c.Certificates = make([]tls.Certificate, 1) }), kept: keptTLS(func(c *tls.Config) bool { return len(c.Certificates) == 1 })},
		"NameToCertificate":                   {ignored: serverOnly},
		"GetCertificate":                      {ignored: serverOnly},
		"GetClientCertificate":                {set: tlsOf(func(c *tls.Config) { c.GetClientCertificate = noCertificate }), kept: keptTLS(func(c *tls.Config) bool { return c.GetClientCertificate != nil })},
		"GetConfigForClient":                  {ignored: serverOnly},
		"VerifyPeerCertificate":               {set: tlsOf(func(c *tls.Config) { c.VerifyPeerCertificate = verifyPeer }), kept: keptTLS(func(c *tls.Config) bool { return c.VerifyPeerCertificate != nil && c.ClientSessionCache == nil })},
		"VerifyConnection":                    {set: tlsOf(func(c *tls.Config) { c.VerifyConnection = verifyConnection }), kept: keptTLS(func(c *tls.Config) bool { return c.VerifyConnection != nil })},
		"RootCAs":                             {set: tlsOf(func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }), kept: keptTLS(func(c *tls.Config) bool { return c.RootCAs != nil })},
		"NextProtos":                          {set: tlsOf(func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }), kept: func(t *http.Transport) bool { return !t.Protocols.HTTP2() }},
		"ServerName":                          {ignored: "the certificate must be for the endpoint's host, whatever it says"},
		"ClientAuth":                          {ignored: serverOnly},
		"ClientCAs":                           {ignored: serverOnly},
		"InsecureSkipVerify":                  {set: tlsOf(func(c *tls.Config) { c.InsecureSkipVerify = true }), refused: true},
		"CipherSuites":                        {set: tlsOf(func(c *tls.Config) { c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384} }), kept: keptTLS(func(c *tls.Config) bool { return len(c.CipherSuites) == 1 })},
		"PreferServerCipherSuites":            {ignored: "crypto/tls ignores it"},
		"SessionTicketsDisabled":              {set: tlsOf(func(c *tls.Config) { c.SessionTicketsDisabled = true }), kept: keptTLS(func(c *tls.Config) bool { return c.SessionTicketsDisabled })},
		"SessionTicketKey":                    {ignored: serverOnly},
		"ClientSessionCache":                  {ignored: "sessions are the client's own, and shared with nobody"},
		"UnwrapSession":                       {ignored: serverOnly},
		"WrapSession":                         {ignored: serverOnly},
		"MinVersion":                          {set: tlsOf(func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }), kept: keptTLS(func(c *tls.Config) bool { return c.MinVersion == tls.VersionTLS13 })},
		"MaxVersion":                          {set: tlsOf(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), kept: keptTLS(func(c *tls.Config) bool { return c.MaxVersion == tls.VersionTLS12 })},
		"CurvePreferences":                    {set: tlsOf(func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP384} }), kept: keptTLS(func(c *tls.Config) bool { return len(c.CurvePreferences) == 1 })},
		"DynamicRecordSizingDisabled":         {set: tlsOf(func(c *tls.Config) { c.DynamicRecordSizingDisabled = true }), kept: keptTLS(func(c *tls.Config) bool { return c.DynamicRecordSizingDisabled })},
		"Renegotiation":                       {set: tlsOf(func(c *tls.Config) { c.Renegotiation = tls.RenegotiateFreelyAsClient }), refused: true},
		"KeyLogWriter":                        {set: tlsOf(func(c *tls.Config) { c.KeyLogWriter = io.Discard }), refused: true},
		"EncryptedClientHelloConfigList":      {set: tlsOf(func(c *tls.Config) { c.EncryptedClientHelloConfigList = []byte{1} }), kept: keptTLS(func(c *tls.Config) bool { return len(c.EncryptedClientHelloConfigList) == 1 })},
		"EncryptedClientHelloRejectionVerify": {set: tlsOf(func(c *tls.Config) { c.EncryptedClientHelloRejectionVerify = verifyConnection }), kept: keptTLS(func(c *tls.Config) bool { return c.EncryptedClientHelloRejectionVerify != nil })},
		"GetEncryptedClientHelloKeys":         {ignored: serverOnly},
		"EncryptedClientHelloKeys":            {ignored: serverOnly},
	}
}

func ownerHTTP2Fields() map[string]classified {
	set := func(f func(*http.HTTP2Config)) func(*http.Transport) {
		return func(t *http.Transport) { t.HTTP2 = new(http.HTTP2Config); f(t.HTTP2) }
	}
	number := func(get func(*http.HTTP2Config) *int) classified {
		return classified{set: set(func(h *http.HTTP2Config) { *get(h) = 1 << 20 }), kept: func(t *http.Transport) bool { return *get(t.HTTP2) == 1<<20 }}
	}
	return map[string]classified{
		"MaxConcurrentStreams": number(func(h *http.HTTP2Config) *int { return &h.MaxConcurrentStreams }),
		"StrictMaxConcurrentRequests": {set: set(func(h *http.HTTP2Config) {
			reflect.ValueOf(h).Elem().FieldByName("StrictMaxConcurrentRequests").SetBool(true)
		}), kept: func(t *http.Transport) bool {
			return reflect.ValueOf(t.HTTP2).Elem().FieldByName("StrictMaxConcurrentRequests").Bool()
		}},
		"MaxDecoderHeaderTableSize":     number(func(h *http.HTTP2Config) *int { return &h.MaxDecoderHeaderTableSize }),
		"MaxEncoderHeaderTableSize":     number(func(h *http.HTTP2Config) *int { return &h.MaxEncoderHeaderTableSize }),
		"MaxReadFrameSize":              number(func(h *http.HTTP2Config) *int { return &h.MaxReadFrameSize }),
		"MaxReceiveBufferPerConnection": number(func(h *http.HTTP2Config) *int { return &h.MaxReceiveBufferPerConnection }),
		"MaxReceiveBufferPerStream":     number(func(h *http.HTTP2Config) *int { return &h.MaxReceiveBufferPerStream }),
		"SendPingTimeout":               {set: set(func(h *http.HTTP2Config) { h.SendPingTimeout = time.Second }), kept: func(t *http.Transport) bool { return t.HTTP2.SendPingTimeout == time.Second }},
		"PingTimeout":                   {set: set(func(h *http.HTTP2Config) { h.PingTimeout = time.Second }), kept: func(t *http.Transport) bool { return t.HTTP2.PingTimeout == time.Second }},
		"WriteByteTimeout":              {set: set(func(h *http.HTTP2Config) { h.WriteByteTimeout = time.Second }), kept: func(t *http.Transport) bool { return t.HTTP2.WriteByteTimeout == time.Second }},
		"PermitProhibitedCipherSuites":  {set: set(func(h *http.HTTP2Config) { h.PermitProhibitedCipherSuites = true }), refused: true},
		"CountError":                    {set: set(func(h *http.HTTP2Config) { h.CountError = func(string) {} }), kept: func(t *http.Transport) bool { return t.HTTP2.CountError != nil }},
	}
}

var errDialled = errors.New("dialled by the owner")

func failingDial(context.Context, string, string) (net.Conn, error) { return nil, errDialled }

func usesFailingDial(t *http.Transport) bool {
	_, err := t.DialContext(context.Background(), "tcp", "127.0.0.1:1")
	return errors.Is(err, errDialled)
}

func nextProto(name string) map[string]func(string, *tls.Conn) http.RoundTripper {
	return map[string]func(string, *tls.Conn) http.RoundTripper{name: func(string, *tls.Conn) http.RoundTripper { return nil }}
}

func noHeader(context.Context, *url.URL, string) (http.Header, error) { return nil, nil }

func noCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return new(tls.Certificate), nil
}

func verifyPeer([][]byte, [][]*x509.Certificate) error { return nil }

func verifyConnection(tls.ConnectionState) error { return nil }

// Every field of the owner's transport is kept, refused aloud or of no effect, and a
// field that a new Go brings must be classified.
func TestOwnerFields(t *testing.T) {
	for _, of := range []struct {
		typ    reflect.Type
		fields map[string]classified
	}{
		{reflect.TypeFor[http.Transport](), ownerTransportFields()},
		{reflect.TypeFor[tls.Config](), ownerTLSFields()},
		{reflect.TypeFor[http.HTTP2Config](), ownerHTTP2Fields()},
	} {
		for i := range of.typ.NumField() {
			field := of.typ.Field(i)
			if !field.IsExported() {
				continue
			}
			t.Run(of.typ.String()+"."+field.Name, func(t *testing.T) {
				f, ok := of.fields[field.Name]
				if !ok {
					t.Fatal("the field is not classified: keep it, refuse it, or say why it is of no effect")
				}
				if f.ignored != "" {
					return
				}
				theirs := new(http.Transport)
				f.set(theirs)
				for name, client := range map[string]func() (*http.Transport, error){
					"http.Client": func() (*http.Transport, error) {
						return made(&http.Client{Transport: theirs}, "")
					},
					"BuildableClient": func() (*http.Transport, error) {
						b := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
							tr.DialContext, tr.ForceAttemptHTTP2 = nil, false // as in the other
							f.set(tr)
						})
						return made(b, "")
					},
				} {
					ours, err := client()
					switch {
					case f.refused && !errors.Is(err, refusal.Config):
						t.Errorf("%s: not refused: %v", name, err)
					case !f.refused && err != nil:
						t.Errorf("%s: %v", name, err)
					case !f.refused && !f.kept(ours):
						t.Errorf("%s: dropped in silence", name)
					}
				}
			})
		}
	}
}

// HTTP/2 stays off in each way in which an owner can switch it off, and on where
// nothing says so.
func TestHTTP2StaysOff(t *testing.T) {
	for _, row := range []struct {
		name  string
		set   func(*http.Transport)
		http2 bool
	}{
		{"nothing said", func(*http.Transport) {}, true},
		{"a TLS configuration alone", tlsOf(func(*tls.Config) {}), true},
		{"a TLSNextProto with HTTP/2", func(t *http.Transport) { t.TLSNextProto = nextProto("h2") }, true},
		{"NextProtos with HTTP/2", tlsOf(func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }), true},
		{"an empty TLSNextProto", func(t *http.Transport) { t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{} }, false},
		{"Protocols without HTTP/2", func(t *http.Transport) { t.Protocols = new(http.Protocols); t.Protocols.SetHTTP1(true) }, false},
		{"NextProtos without HTTP/2", tlsOf(func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
			srv.EnableHTTP2 = true
			srv.StartTLS()
			defer srv.Close()
			theirs := new(http.Transport)
			row.set(theirs)
			ours, err := made(&http.Client{Transport: theirs}, srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer ours.CloseIdleConnections()
			ours.TLSClientConfig.RootCAs = x509.NewCertPool()
			ours.TLSClientConfig.RootCAs.AddCert(srv.Certificate())
			resp, err := (&http.Client{Transport: ours}).Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := resp.ProtoMajor == 2; got != row.http2 {
				t.Errorf("spoke %s", resp.Proto)
			}
		})
	}
}

// What would loosen TLS by its value is refused, and names itself.
func TestOwnerValuesAreRefused(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*http.Transport)
		url  string // of the endpoint
		says string
	}{
		{"an insecure cipher suite", tlsOf(func(c *tls.Config) { c.CipherSuites = []uint16{tls.TLS_RSA_WITH_RC4_128_SHA} }), "", "TLS_RSA_WITH_RC4_128_SHA"},
		{"TLS 1.1 at most", tlsOf(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }), "", "MaxVersion"},
		{"a protocol nobody speaks", tlsOf(func(c *tls.Config) { c.NextProtos = []string{"h3"} }), "", `"h3"`},
		{"no protocol", func(t *http.Transport) { t.Protocols = new(http.Protocols) }, "", "neither"},
		{"a dialer and a plain endpoint", func(t *http.Transport) { t.DialContext = failingDial }, "http://127.0.0.1:9", "plain http"},
		{"a dialer and a plain endpoint in capitals", func(t *http.Transport) { t.DialContext = failingDial }, "HTTP://127.0.0.1:9", "plain http"},
		{"an old dialer and a plain endpoint", func(t *http.Transport) {
			t.Dial = func(string, string) (net.Conn, error) { return nil, errDialled } //nolint:staticcheck // an owner may still use it
		}, "http://127.0.0.1:9", "plain http"},
		{"a net.Dialer and a plain endpoint", func(t *http.Transport) { t.DialContext = (&net.Dialer{}).DialContext }, "http://127.0.0.1:9", ""},
		{"the SDK's dialer and a plain endpoint", func(t *http.Transport) { t.DialContext = awshttp.NewBuildableClient().GetTransport().DialContext }, "http://127.0.0.1:9", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			theirs := new(http.Transport)
			row.set(theirs)
			_, err := made(&http.Client{Transport: theirs}, row.url)
			if row.says == "" && err != nil || row.says != "" && (!errors.Is(err, refusal.Config) || !strings.Contains(err.Error(), row.says)) {
				t.Errorf("got %v", err)
			}
		})
	}
}
