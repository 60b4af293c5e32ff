package transfer

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	manifestFile = "manifest.ndjson"
	configFile   = "configuration.json"
	partSuffix   = ".ndjson.gz"
)

// Piece is one line of an archive's manifest.
type Piece struct {
	Name   string `json:"name"`
	Rows   uint64 `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of the file
}

// make makes one export, from where it stands.
func (k *Keeper) make(ctx context.Context, tenant seamark.TenantID, job Job) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.mu.Lock()
	k.cancel[job.ID] = cancel
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		delete(k.cancel, job.ID)
		k.mu.Unlock()
	}()
	err := k.write(ctx, tenant, &job)
	if ctx.Err() != nil {
		return // the process ends, and its successor goes on; or the export was removed
	}
	job.State, job.Finished = Done, k.opts.Now().UTC()
	job.Expires = job.Finished.Add(k.opts.Keep)
	if err != nil {
		job.State, job.Fault = Failed, faultOf(err)
		k.opts.Logger.WarnContext(ctx, "an export of a tenant failed", slog.String("tenant", string(tenant)), slog.String("export", job.ID), slog.Any("err", err))
	}
	k.tell(ctx, tenant, job)
}

// tell shows how far an export is.
func (k *Keeper) tell(ctx context.Context, tenant seamark.TenantID, job Job) {
	err := k.change(ctx, tenant, func(b *Book) error {
		if i := slices.IndexFunc(b.Jobs, func(j Job) bool { return j.ID == job.ID }); i >= 0 {
			b.Jobs[i] = job
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		k.opts.Logger.WarnContext(ctx, "the progress of an export is not shown", slog.String("export", job.ID), slog.Any("err", err))
	}
}

// tellEvery bounds how often progress is stored.
const tellEvery = 2 * time.Second

// write writes the parts that are missing, and the configuration at the end.
func (k *Keeper) write(ctx context.Context, tenant seamark.TenantID, job *Job) error {
	dir := k.folder(tenant, job.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	done, err := readManifest(dir)
	if err != nil {
		return err
	}
	parts, err := k.opts.Source.Parts(ctx, tenant)
	if err != nil {
		return err
	}
	job.Parts, job.PartsDone, job.Rows, job.Bytes = len(parts), 0, 0, 0
	told := k.opts.Now()
	for _, part := range parts {
		piece, have := done[part+partSuffix]
		if !have {
			if piece, err = k.writePart(ctx, tenant, dir, part); err != nil {
				return fmt.Errorf("export %s: %w", part, err)
			}
		}
		job.PartsDone++
		job.Rows += piece.Rows
		job.Bytes += uint64(piece.Bytes)
		if now := k.opts.Now(); now.Sub(told) >= tellEvery {
			told = now
			k.tell(ctx, tenant, *job)
		}
	}
	config, err := k.opts.Source.Config(ctx, tenant)
	if err != nil {
		return fmt.Errorf("export the configuration: %w", err)
	}
	body, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, configFile), append(body, '\n'), 0o600)
}

// readManifest returns the parts that are whole. A line that was cut off is of a part that is written again.
func readManifest(dir string) (map[string]Piece, error) {
	done := map[string]Piece{}
	file, err := os.Open(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return done, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var p Piece
		if json.Unmarshal(lines.Bytes(), &p) == nil && p.Name != "" {
			done[p.Name] = p
		}
	}
	return done, lines.Err()
}

// writePart writes one part aside, puts it in its place, and notes it.
func (k *Keeper) writePart(ctx context.Context, tenant seamark.TenantID, dir, part string) (Piece, error) {
	if strings.Contains(part, "..") || filepath.IsAbs(part) {
		return Piece{}, fmt.Errorf("part %q is no name of a file", part)
	}
	room := k.opts.MaxBytes - k.usedBytes()
	path := filepath.Join(dir, filepath.FromSlash(part)+partSuffix)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Piece{}, err
	}
	file, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return Piece{}, err
	}
	defer func() { _ = os.Remove(path + ".part") }() // it is gone when it was renamed
	sum := sha256.New()
	counted := &bounded{w: io.MultiWriter(file, sum), room: room, limit: k.opts.MaxBytes}
	packed := gzip.NewWriter(counted)
	rows, err := k.opts.Source.WritePart(ctx, tenant, part, packed)
	err = errors.Join(err, packed.Close(), file.Sync(), file.Close())
	if err != nil {
		return Piece{}, err
	}
	if err := os.Rename(path+".part", path); err != nil {
		return Piece{}, err
	}
	p := Piece{Name: part + partSuffix, Rows: rows, Bytes: counted.written, SHA256: hex.EncodeToString(sum.Sum(nil))}
	return p, appendManifest(dir, p)
}

func appendManifest(dir string, p Piece) error {
	line, err := json.Marshal(p)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, manifestFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}

// bounded refuses to write more than there is room for.
type bounded struct {
	w                    io.Writer
	room, limit, written int64
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.written+int64(len(p)) > b.room {
		return 0, full(b.limit)
	}
	n, err := b.w.Write(p)
	b.written += int64(n)
	return n, err
}

// WriteArchive writes a finished export as a tar archive. begin is called before the first byte. The error is of kind
// Conflict while the export is not finished, Unavailable when it is on another node's disk.
func (k *Keeper) WriteArchive(ctx context.Context, tenant seamark.TenantID, id string, w io.Writer, begin func()) error {
	job, err := k.Find(ctx, tenant, id)
	switch {
	case err != nil:
		return err
	case job.State != Done:
		return seamark.Errorf(seamark.Conflict, "seamark-export-unfinished", "The export is %s, %d of %d parts are there.", job.State, job.PartsDone, job.Parts)
	}
	dir := k.folder(tenant, id)
	if _, err := os.Stat(filepath.Join(dir, configFile)); err != nil {
		return seamark.Wrap(err, seamark.Unavailable, "seamark-export-elsewhere",
			"The export is on the disk of node %s and not on this one's. Ask that node, or have --tenants.export-dir be a folder that all share.", job.Node)
	}
	begin()
	archive := tar.NewWriter(w)
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		return addFile(archive, dir, path)
	})
	return errors.Join(err, archive.Close())
}

func addFile(archive *tar.Writer, dir, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	head := &tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: info.Size(), ModTime: info.ModTime(), Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(head); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}
