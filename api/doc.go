// Package api is the HTTP side of the control plane and of queries: one file per noun, each with the interfaces it needs
// on top. Handlers turn a request into a call and the answer into JSON, and decide nothing; package app wires them.
package api
