// Package backup copies the control plane's documents out of the store into one file and back. It looks into no document
// but the ring of data keys: secrets stay sealed and hashes stay hashes. The command line imports it.
package backup
