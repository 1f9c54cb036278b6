// Package compat holds only tests. They run libraries that demand a concrete
// *bedrockruntime.Client on securebedrock's Client.Runtime, and check that every call
// of the libraries is guarded.
//
// compat is a module of its own, outside the workspace. So the libraries' requirements
// reach neither the users of securebedrock nor its build.
package compat
