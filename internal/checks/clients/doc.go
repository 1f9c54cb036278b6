// Package clients holds only tests. They run SDKs that this repository did not write, and
// most of which are not Go, through "securebedrock proxy" to a bedrocktest server, and
// check what each SDK tells its caller. README.md says which SDKs.
//
// clients is a module of its own, outside the workspace: its tests need Node.js, Python
// and the AWS CLI, and skip by name what a machine does not have.
package clients
