// Package canary writes a marked log line, metric sample and event the way agents do, reads each back the way people do, and
// measures both. It knows a server by its HTTP API alone. Only cmd imports it.
package canary
