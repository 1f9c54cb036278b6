// Package compat holds only tests. They run Go libraries that are not ours on a guarded
// client, each through the door that it has: Client.Runtime for a library that demands a
// concrete *bedrockruntime.Client, and bedrockhttp.Transport for a library that signs its
// requests by itself. They check that every call of the libraries is guarded, whatever
// the library's own options and the environment say. docs/libraries.md lists the
// libraries.
//
// compat is a module of its own, outside the workspace. So the libraries' requirements
// reach neither the users of securebedrock nor its build.
package compat
