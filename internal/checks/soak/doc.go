// Package soak tests the client, and the door of package bedrockhttp before it, over a
// bad network (toxiproxy) and under load with faults. soak is a module of its own, so
// that no user requires toxiproxy.
//
//	go test -race ./...                                        the network tests and two soaks of 8 s
//	go test -run TestSoak -v -soak 5m -callers 64 -timeout 20m .            a soak of 5 minutes
//	go test -run TestSoak -v -soak 5m -callers 64 -resets 0.01 -timeout 20m .  with connections reset
//	                                                           (HTTP/2; -http1 for HTTP/1.1)
//	go test -run DoorSoak -v -soak 5m -callers 64 -timeout 20m .        the door, 5 minutes
package soak
