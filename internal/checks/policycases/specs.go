package policycases

import (
	"maps"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// Config is a client's configuration and the account under it.
type Config struct {
	Options securebedrock.Options
	Account policy.Account
}

// The names of Configs.
const (
	OneRegion  = "one region"         // two models of eu-central-1, one of which takes no guardrail
	Europe     = "eu profiles"        // ten models in the European Union
	GovCloud   = "govcloud"           // profiles of the two regions of GovCloud
	Global     = "global"             // global. profiles
	AppProfile = "app profile"        // an application inference profile
	AnyModel   = "any model"          // no list of models
	Unguarded  = "unguarded"          // no guardrail, for a reason
	Async      = "async is excused"   // StartAsyncInvoke without a guardrail, for a reason
	Standalone = "no organisation"    // eu profiles, in an account that belongs to no organisation
	Spared     = "a spared principal" // one region, and a knowledge base's role
)

// What the configurations have in common.
const (
	AccountID      = "123456789012"
	OtherAccount   = "210987654321"
	Organization   = "o-a1b2c3d4e5"
	GuardrailID    = "gr0default000"
	Role           = "arn:aws:iam::" + AccountID + ":role/app"
	OtherRole      = "arn:aws:iam::" + AccountID + ":role/other"
	KnowledgeRole  = "arn:aws:iam::" + AccountID + ":role/knowledge-base"
	GovRole        = "arn:aws-us-gov:iam::" + AccountID + ":role/app"
	OtherGovRole   = "arn:aws-us-gov:iam::" + AccountID + ":role/other"
	Profile        = "arn:aws:bedrock:eu-central-1:" + AccountID + ":application-inference-profile/a1b2c3d4e5f6"
	Sonnet         = "anthropic.claude-sonnet-4-5-20250929-v1:0"
	Haiku          = "anthropic.claude-3-haiku-20240307-v1:0"
	Nova           = "amazon.nova-lite-v1:0"
	Embedding      = "amazon.titan-embed-text-v2:0"
	OtherModel     = "meta.llama3-70b-instruct-v1:0"
	embeddingTakes = "an embedding model takes no guardrail"
)

// Configs returns every configuration by its name, each a new one.
func Configs() map[string]Config {
	base := func(region string, residency []string, models ...string) Config {
		return Config{
			Options: securebedrock.Options{
				Region: region, Residency: residency, Models: models,
				Guardrail: securebedrock.Guardrail{ID: GuardrailID, Version: "1"},
				Role:      &securebedrock.Role{ARN: Role},
			},
			Account: policy.Account{ID: AccountID, Organization: Organization},
		}
	}
	eu := func() Config {
		return base("eu-central-1", securebedrock.Geography("eu"),
			"eu."+Sonnet, "eu."+Haiku, "eu."+Nova, "eu.amazon.nova-micro-v1:0", "eu.amazon.nova-pro-v1:0",
			"eu.anthropic.claude-3-7-sonnet-20250219-v1:0", "eu.anthropic.claude-sonnet-4-20250514-v1:0",
			"eu.meta.llama3-2-3b-instruct-v1:0", "eu.mistral.pixtral-large-2502-v1:0", "eu.cohere.embed-v4:0")
	}
	change := func(c Config, edit func(*Config)) Config { edit(&c); return c }
	return map[string]Config{
		OneRegion: change(base("eu-central-1", nil, Haiku, Embedding), func(c *Config) {
			c.Account.Unguardable = map[string]string{Embedding: embeddingTakes}
		}),
		Europe: eu(),
		GovCloud: change(base("us-gov-west-1", securebedrock.Geography("us-gov"), "us-gov."+Haiku, Nova), func(c *Config) {
			c.Options.Role.ARN = GovRole
		}),
		Global: base("eu-central-1", []string{"*"}, "global."+Sonnet, "eu."+Nova),
		AppProfile: change(base("eu-central-1", securebedrock.Geography("eu"), Profile), func(c *Config) {
			c.Options.Profiles = Resolver{Profile: securebedrock.Geography("eu")}
			models := []string{}
			for _, region := range securebedrock.Geography("eu") {
				models = append(models, "arn:aws:bedrock:"+region+"::foundation-model/"+Sonnet)
			}
			c.Account.ProfileModels = map[string][]string{Profile: models}
		}),
		AnyModel: base("eu-central-1", nil),
		Unguarded: change(base("eu-central-1", nil, Haiku), func(c *Config) {
			c.Options.Guardrail, c.Options.Unguarded = securebedrock.Guardrail{}, "translation of public pages"
		}),
		Async: change(base("us-east-1", nil, "amazon.nova-reel-v1:0", Haiku), func(c *Config) {
			c.Options.UnguardedOperations = map[string]string{"StartAsyncInvoke": "videos of the marketing team"}
		}),
		Standalone: change(eu(), func(c *Config) { c.Account.Organization = "" }),
		Spared: change(base("eu-central-1", nil, Haiku), func(c *Config) {
			c.Account.ExceptPrincipals = maps.Clone(map[string]string{KnowledgeRole: "the knowledge base's service role"})
		}),
	}
}
