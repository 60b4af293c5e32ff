// Package modules checks the Terraform modules without their providers, which cannot be had everywhere: it parses every file and follows
// every reference. What only a provider knows, such as the arguments of its resources, it does not see.
package modules
