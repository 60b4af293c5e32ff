//go:build !linux

package engine

import "errors"

// confine has no counterpart outside Linux.
func confine(string) error { return errors.New("no file sandbox on this system") }
