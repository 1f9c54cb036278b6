// Package region knows the regions and partitions of AWS from the SDK's own
// partition table: which text is a region, which partition it is of, and which
// hosts of AWS are a service's in a region. It splits ARNs, and knows to which regions
// the system inference profiles of Bedrock send a prompt.
//
// table.go is generated from internal/endpoints/awsrulesfn/partitions.json of
// aws-sdk-go-v2, which no other module may import. After an update of the SDK run
// go generate ./internal/region; a test fails until then.
package region

import "strings"

//go:generate go run ./gen

// Partition is what the table says of a partition.
type Partition struct {
	ID        string // "aws", "aws-us-gov", …
	DNS, Dual string // the domains of its hosts, by IPv4 and by both
}

// Of returns the partition of a region. It returns false for what is not the
// name of a region: another word, a pseudo-region such as "aws-global" or
// "fips-us-east-1", and a region of a geography that the table does not know.
func Of(name string) (Partition, bool) {
	if len(name) > 32 || strings.Contains(name, "fips") {
		return Partition{}, false
	}
	// The table's patterns are a fixed beginning, a word and a number.
	i := strings.LastIndexByte(name, '-')
	if i < 0 || !isNumber(name[i+1:]) {
		return Partition{}, false
	}
	j := strings.LastIndexByte(name[:i], '-')
	if j < 0 || !isWord(name[j+1:i]) {
		return Partition{}, false
	}
	return lookup(name[:j])
}

// Valid reports whether name is the name of a region.
func Valid(name string) bool {
	_, ok := Of(name)
	return ok
}

// PartitionOf returns the ID of a region's partition; empty for what is no region.
func PartitionOf(name string) string {
	p, _ := Of(name)
	return p.ID
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 3 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// isWord is stricter than the table's \w+, which admits what no host can hold.
func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' })
}

// HostFault says what is wrong with a host of AWS's own that is not service in
// region name; empty where it is one, and where the host is not AWS's. The forms
// are those of the SDK's endpoint rules, service.REGION.DOMAIN and
// service-fips.REGION.DOMAIN, and those of an interface endpoint,
// ENDPOINT.service.REGION.vpce.DOMAIN and ENDPOINT-ZONE.service.REGION.vpce.DOMAIN
// (PrivateLink guide, privatelink-access-aws-services).
func HostFault(host, name, service string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !OfAWS(host) {
		return ""
	}
	p, ok := Of(name)
	if !ok {
		return "is a host of AWS, and the region has none"
	}
	for _, domain := range [...]string{p.DNS, p.Dual} {
		rest, ok := strings.CutSuffix(host, "."+domain)
		if !ok {
			continue
		}
		labels := strings.Split(rest, ".")
		if len(labels) == 4 && labels[3] == "vpce" && isEndpointID(labels[0]) {
			labels = labels[1:3]
		}
		if len(labels) == 2 && labels[1] == name && (labels[0] == service || labels[0] == service+"-fips") {
			return ""
		}
	}
	return "is a host of AWS and not of " + service + " in Region " + name + "; use " +
		service + "." + name + "." + p.DNS + " or the name of a VPC endpoint of that service"
}

// OfAWS reports whether a host, in lower case, is under a domain of any partition.
func OfAWS(host string) bool {
	for _, domain := range domains() {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// isEndpointID accepts a VPC endpoint's label, with or without its zone.
func isEndpointID(s string) bool {
	id, ok := strings.CutPrefix(s, "vpce-")
	return ok && id != "" && !strings.ContainsFunc(id, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	})
}
