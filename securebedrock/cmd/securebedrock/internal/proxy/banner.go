package proxy

import (
	"fmt"
	"net"
	"strings"
)

// unset clears what SDKs prefer to a credentials file.
const unset = "  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK\n"

// banner tells a person what to set for which SDK. It names files, and no key.
//
// The AWS SDKs read AWS_ENDPOINT_URL_BEDROCK_RUNTIME
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html), and so does
// @ai-sdk/amazon-bedrock. boto3 reads AWS_DEFAULT_REGION and no AWS_REGION. Anthropic's
// SDKs for TypeScript and Python read ANTHROPIC_BEDROCK_BASE_URL; the one for Go has
// option.WithBaseURL.
func banner(p plan, actual net.Addr) string {
	var b strings.Builder
	credentials := absolute(p.Credentials)
	if p.network == "unix" {
		socket := absolute(p.address)
		fmt.Fprintf(&b, "Bedrock is served on the socket %s.\n\n", socket)
		fmt.Fprintf(&b, "  # A caller connects to the socket, signs for %s, and has its keys here:\n", p.options.Region)
		fmt.Fprintf(&b, "%s  export AWS_SHARED_CREDENTIALS_FILE=%s AWS_PROFILE=%s AWS_REGION=%s AWS_DEFAULT_REGION=%[4]s\n", unset, shell(credentials), p.Callers[0].Name, p.options.Region)
		p.tellOthers(&b)
		p.tellTokens(&b, "curl --unix-socket "+shell(socket), "http://localhost")
		return b.String()
	}
	url := p.url(actual)
	fmt.Fprintf(&b, "Bedrock is served at %s. Set for a caller:\n\n", url)
	fmt.Fprintf(&b, "  # AWS SDKs, AWS CLI, boto3\n%s", unset)
	fmt.Fprintf(&b, "  export AWS_ENDPOINT_URL_BEDROCK_RUNTIME=%s AWS_REGION=%s AWS_DEFAULT_REGION=%[2]s\n", url, p.options.Region)
	fmt.Fprintf(&b, "  export AWS_SHARED_CREDENTIALS_FILE=%s AWS_PROFILE=%s\n", shell(credentials), p.Callers[0].Name)
	fmt.Fprintf(&b, "  # @ai-sdk/amazon-bedrock reads no credentials file: the lines above, and a credentialProvider or a bearer token\n")
	fmt.Fprintf(&b, "  # Anthropic's SDKs for TypeScript and Python, beside the lines above\n")
	fmt.Fprintf(&b, "  export ANTHROPIC_BEDROCK_BASE_URL=%s\n", url)
	fmt.Fprintf(&b, "  # Anthropic's SDK for Go: option.WithBaseURL(%q)\n", url)
	fmt.Fprintf(&b, "  # Where HTTP_PROXY or HTTPS_PROXY is set, the call would go there: export NO_PROXY=%s\n", p.host(actual))
	if p.TLS.Certificate != "" {
		fmt.Fprintf(&b, "  # A certificate that the system does not trust: AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS\n")
	}
	p.tellOthers(&b)
	p.tellTokens(&b, "curl", url)
	return b.String()
}

// url is the address as a caller writes it.
func (p *plan) url(actual net.Addr) string {
	scheme := "http"
	if p.TLS.Certificate != "" {
		scheme = "https"
	}
	_, port, err := net.SplitHostPort(actual.String())
	if err != nil {
		return scheme + "://" + actual.String()
	}
	return scheme + "://" + net.JoinHostPort(p.host(actual), port)
}

// host is the name by which callers reach the proxy.
func (p *plan) host(actual net.Addr) string {
	if len(p.Hosts) > 0 {
		return p.Hosts[0]
	}
	host, _, err := net.SplitHostPort(actual.String())
	if err != nil {
		return actual.String()
	}
	return host
}

func (p *plan) tellOthers(b *strings.Builder) {
	if len(p.Callers) < 2 {
		return
	}
	var names []string
	for _, c := range p.Callers[1:] {
		names = append(names, c.Name)
	}
	fmt.Fprintf(b, "  # Other profiles: %s\n", strings.Join(names, ", "))
}

// tellTokens says how a caller without an SDK sends its token.
func (p *plan) tellTokens(b *strings.Builder, curl, url string) {
	for _, c := range p.Callers {
		if !c.Bearer {
			continue
		}
		file := shell(absolute(tokenFile(p.Credentials, c.Name)))
		fmt.Fprintf(b, "  # A bearer token in the place of a signature, for %s\n", c.Name)
		fmt.Fprintf(b, "  export AWS_BEARER_TOKEN_BEDROCK=\"$(cat %s)\"\n", file)
		fmt.Fprintf(b, "  %s %s/model/MODEL/converse -H \"Authorization: Bearer $(cat %s)\" \\\n", curl, url, file)
		fmt.Fprintf(b, "    -H 'Content-Type: application/json' -d '{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hello\"}]}]}'\n")
		return
	}
}

// shell quotes a word for a shell.
func shell(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
