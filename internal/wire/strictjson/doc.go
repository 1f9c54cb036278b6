// Package strictjson reads the JSON of a request into the SDK's types and refuses
// what those types do not know.
//
// The SDK's own decoder is made for a client, which skips what it does not know. A
// program that reads a request, judges it and sends it on must not skip anything: what
// it does not know, it cannot judge, and a receiver may read it. The Reader gives the
// SDK's types one pass over the bytes. It refuses unknown members, members that stand
// twice, nulls, unions with no or two members, other types than the schema's, numbers
// out of range, and everything that is no JSON in UTF-8.
package strictjson
