package engine

import (
	"os"

	"golang.org/x/sys/unix"
)

// reserve takes a file's blocks from the disk (fallocate(2)). The error is errors.ErrUnsupported on file systems that cannot.
func reserve(f *os.File, size int64) error {
	return os.NewSyscallError("fallocate", unix.Fallocate(int(f.Fd()), 0, 0, size))
}
