// Package soak holds tests of the client over a bad network (toxiproxy) and under
// load with faults. It is a module of its own, so that toxiproxy is nobody's
// requirement.
//
//	go test -race ./...                                        the table, and a soak of 8 s
//	go test -run Soak -v -soak 5m -callers 64 -timeout 20m .            the whole soak
//	go test -run Soak -v -soak 5m -callers 64 -resets 0.01 -timeout 20m .  with connections reset
//	                                                           (HTTP/2; -http1 for HTTP/1.1)
package soak
