//go:build !linux

package engine

import "syscall"

// childAttributes puts the child in its own process group. Without a parent-death signal the end of stdin alone ends it.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// setOOMScore does nothing: only Linux lets a process choose who is killed first.
func setOOMScore(int, int) error { return nil }
