// Package client is the Go client of Seamark's HTTP API: one method per operation of openapi.yaml, generated from it, over a
// small layer by hand that proves who asks, repeats what may be repeated and turns problem details into an Error. It knows
// nothing of the server's packages. Programs outside this repository may import it.
package client
