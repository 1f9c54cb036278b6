// Package proxy serves a guarded client to other processes: "securebedrock proxy".
//
// Run is the life of a proxy, from the first check to the last record. Each step has a
// file of its own: environment, certificate, listen, records, telemetry, budgets, client,
// keys, health, server.
package proxy
