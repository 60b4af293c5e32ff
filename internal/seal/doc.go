// Package seal keeps secrets unreadable for whoever reads the control plane's store, its files or a backup. A root key, kept
// outside the store, wraps data keys; data keys seal single values, each bound to the place where it stands. The keys live
// in one document of a JetStream KV bucket. Roles that store secrets and the command line import it.
package seal
