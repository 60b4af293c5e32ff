// Package deploy checks what stands in deploy/ against the built product: that the gateway sends each path to a role that knows it, and
// that dashboards and alert rules ask for metrics that are there. What needs no running product is tested in deploy/test.
package deploy
