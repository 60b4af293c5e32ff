//go:build !linux

package child

import "syscall"

// Attributes puts the child in its own process group. Without a parent-death signal the end of stdin alone ends it.
func Attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// SetOOMScore does nothing: only Linux lets a process choose who is killed first.
func SetOOMScore(int, int) error { return nil }
