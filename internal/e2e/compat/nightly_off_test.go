//go:build !nightly

package compat

// nightlyClients are left out: make nightly compiles them.
func nightlyClients() []client { return nil }
