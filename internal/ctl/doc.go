// Package ctl is `seamark ctl`: every operation of the API on the command line, over api/client. Commands are rows of a table
// that name an operation of openapi.yaml; their arguments and flags come from its description. Package cmd/seamark hands it
// the process's arguments, streams and environment.
package ctl
