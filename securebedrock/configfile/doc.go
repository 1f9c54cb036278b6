// Package configfile reads securebedrock.Options, policy.Account and the settings of
// "securebedrock proxy" from one YAML file. An application loads the file that an auditor
// reads.
//
//	opts, _, err := configfile.Load("securebedrock.yaml")
//	…
//	opts.Middleware = []securebedrock.Middleware{record}
//	client, err := securebedrock.New(ctx, opts)
//
// Example is a file with every key and a comment on each. A key is the name of a field in
// snake case: Guardrail.AllowDraft is allow_draft under guardrail. The fields of Options
// stand at the top, those of Account under account, and those of Proxy under proxy.
//
// Three fields are code and have no key: Options.Middleware, Options.Profiles and
// Role.STS. The application sets them after Load.
//
// # Strictness
//
// A file says one thing to its reader and to the program, or it is refused:
//
//   - Keys that are unknown or doubled are refused, as is a value of another type. Text
//     that could be a number or a truth value needs quotes: version: "1".
//   - A key that is there has a value. An empty list, an empty text, null and 0 are
//     refused: they read as "none" and would mean the default. An empty models would mean
//     any model.
//   - A text stands on one line, plain or in quotes, with JSON's escapes in double quotes.
//     Parse reads each text a second time, without go-yaml, and refuses what the two read
//     differently. A value on a later line is indented below its key.
//   - Anchors, aliases, merge keys, tags, directives and a second document are refused. A
//     value stands where it is used.
//   - Tabs, and characters that cannot be seen, are refused. Marks of direction make a
//     file read otherwise than it works.
//   - A file has up to 64 KiB, and a line up to 4 KiB.
//
// Nothing is filled in: a text with ${ is refused, so that no environment loosens a rule.
//
// # Secrets
//
// The file holds no secret. Unknown keys that are named like one are refused without
// their values, and so is a value with the form of an access key, a token or a Bedrock
// API key. Excerpts in errors show long words of mixed case as asterisks. ExternalID is
// no secret to AWS
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html):
// readers of the role's trust policy see it.
//
// # Errors
//
// Each fault is an *Error, which wraps securebedrock.ErrConfig: file, line, column, key and
// an excerpt. What Options.Validate and policy.For say comes with the line of its key.
//
//	securebedrock.yaml:14:3: guardrail.version: DRAFT changes with every edit; name a published version, or set AllowDraft
//	  14 |   version: DRAFT
//	     |   ^
//
// Load refuses a file that every user of the machine may write. Load does not look at the
// folder: who can rename files in it can put another file in the place of this one.
package configfile
