//go:build !linux

package engine

import (
	"errors"
	"os"
)

// reserve is for Linux alone.
func reserve(*os.File, int64) error { return errors.ErrUnsupported }
