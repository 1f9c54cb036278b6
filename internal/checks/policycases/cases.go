package policycases

import "strings"

// Cases returns the table.
func Cases() []Case {
	var all []Case
	for _, p := range places() {
		for _, rows := range [][]Case{p.own(), p.beside(), p.routes(), p.retention(), p.changes(), p.others()} {
			all = append(all, p.table(rows)...)
		}
	}
	return all
}

// place is where the requests of a configuration are made.
type place struct {
	config        string
	region, away  string        // Options.Region, and a region outside of Residency
	partition     string        // empty: aws
	role          string        // empty: Role
	direct        string        // a model that may be called by its own ID; empty where there is none
	any           bool          // every model of the region may be called by its own ID
	unguarded     bool          // Options.Unguarded
	async, agents bool          // StartAsyncInvoke is excused; agents and knowledge bases are in use
	rows          func() []Case // what is the configuration's own
}

func places() []place {
	return []place{
		{config: OneRegion, region: home, away: "us-east-1", direct: Haiku, rows: oneRegionCases},
		{config: Europe, region: home, away: "us-east-1", rows: europeCases},
		{config: Standalone, region: home, away: "us-east-1", rows: europeCases},
		{config: Global, region: home, away: "us-east-1", rows: globalCases},
		// No region of the partition is outside of Residency.
		{config: GovCloud, region: "us-gov-west-1", away: "us-gov-central-1", partition: "aws-us-gov", role: GovRole, direct: Nova, rows: govCloudCases},
		{config: AppProfile, region: home, away: "us-east-1", rows: appProfileCases},
		{config: AnyModel, region: home, away: "us-east-1", direct: Haiku, any: true, rows: anyModelCases},
		{config: Unguarded, region: home, away: "us-east-1", direct: Haiku, unguarded: true, async: true, rows: unguardedCases},
		{config: Async, region: "us-east-1", away: home, direct: Haiku, async: true, rows: asyncCases},
		{config: Spared, region: home, away: "us-east-1", direct: Haiku, agents: true, rows: sparedCases},
	}
}

func (p place) own() []Case { return p.rows() }

// table completes rows: the configuration, the partition and the role. Where Options are
// unguarded there are no documents about the guardrail and the routes without one.
func (p place) table(rows []Case) []Case {
	for i := range rows {
		c := &rows[i]
		c.Config = p.config
		if p.role != "" && c.Request.Principal == Role {
			c.Request.Principal = p.role
		}
		if p.partition != "" {
			c.Request.Resource = p.inPartition(c.Request.Resource)
			for _, values := range c.Request.Context {
				for j := range values {
					values[j] = p.inPartition(values[j])
				}
			}
		}
		if p.unguarded && c.Only == "" {
			letters := []byte(strings.ReplaceAll(c.Want, " ", ""))
			letters[5], letters[7] = '.', '.'
			c.Want = string(letters)
		}
	}
	return rows
}

func (p place) inPartition(arn string) string {
	return strings.Replace(arn, "arn:aws:", "arn:"+p.partition+":", 1)
}
