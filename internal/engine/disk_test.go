package engine_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/seamarkhq/seamark/internal/engine"
)

// TestDiskGuard fills and drains a disk of 1000 units and looks at the answer and the ballast at each level.
func TestDiskGuard(t *testing.T) {
	dir, free := t.TempDir(), int64(1000<<10)
	g, err := engine.OpenDiskGuard(engine.DiskOptions{
		Dir: dir, MinFreePercent: 15, MaxReserveBytes: 100 << 10, BallastBytes: 8 << 10, Log: slog.New(slog.DiscardHandler),
		Space: func(string) (int64, int64, error) { return 1000 << 10, free, nil },
	})
	require.NoError(t, err)
	for _, step := range []struct {
		free          int64
		full, ballast bool
	}{
		{1000, false, true}, // the reserve is 100, the smaller of 15 % and the bound
		{101, false, true},
		{99, true, true},
		{110, true, true},   // not far enough above the reserve
		{24, true, false},   // the last quarter: the ballast goes
		{126, false, false}, // free again, but too little for the ballast
		{142, false, true},
	} {
		free = step.free << 10
		require.NoError(t, g.Check())
		require.Equal(t, step.full, g.Full(), "free %d", step.free)
		info, err := os.Stat(filepath.Join(dir, "ballast"))
		require.Equal(t, step.ballast, err == nil, "free %d", step.free)
		if err == nil {
			require.Equal(t, int64(8<<10), info.Size())
		}
	}
}

// TestShareOfDisk asks for a part of a disk, also for a folder that is not there yet. On a small disk the part counts and
// on a large one the most.
func TestShareOfDisk(t *testing.T) {
	dir := t.TempDir()
	var disk unix.Statfs_t
	require.NoError(t, unix.Statfs(dir, &disk))
	total := int64(disk.Blocks) * disk.Bsize
	for _, dir := range []string{dir, filepath.Join(dir, "not", "there")} {
		require.Equal(t, total/100*5, engine.ShareOfDisk(dir, 5, total))
		require.Equal(t, int64(1<<20), engine.ShareOfDisk(dir, 50, 1<<20))
	}
}
