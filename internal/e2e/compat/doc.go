// Package compat drives the built product with clients that were not written here: the exporters, agents' outputs and
// client libraries of other makers, at the versions that go.mod pins. What they sent is read back through the query
// APIs, by other makers' clients, too, and compared value by value. Its test run makes docs/compatibility.md.
//
// It is a module of its own, so that the clients' dependencies never reach the product's go.mod, and it imports nothing
// of the product: it sees what a customer sees.
package compat
