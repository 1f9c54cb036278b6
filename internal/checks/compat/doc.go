// Package compat holds tests alone: libraries that demand a concrete
// *bedrockruntime.Client run on securebedrock's Client.Runtime, and every call
// they make is guarded.
//
// It is a module of its own, and outside the workspace, so that what those
// libraries require reaches neither the users of securebedrock nor its build.
package compat
