// Package app puts the roles together: options, engines, the order of start and stop, and which role mounts which route.
// It is the only package that knows all roles; cmd and the end-to-end tests import it.
package app
