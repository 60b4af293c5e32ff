package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/backup"
	"github.com/seamarkhq/seamark/internal/seal"
)

// stdio is the file name that stands for standard input and output.
const stdio = "-"

// backupCmd writes the control plane of a running server to a file.
type backupCmd struct {
	storeFlags
	To string `name:"to" required:"" placeholder:"FILE" help:"File to make; it must not exist. - is standard output."`
}

// Run takes a backup.
func (c *backupCmd) Run(ctx context.Context) error {
	var b *backup.Backup
	err := c.with(func(js jetstream.JetStream) error {
		buckets, docs, err := backup.Collect(ctx, js)
		if err != nil {
			return err
		}
		b, err = backup.New(version, time.Now(), buckets, docs)
		return err
	})
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := backup.Write(&file, b); err != nil {
		return err
	}
	if c.To == stdio {
		_, err = file.WriteTo(os.Stdout)
		return err
	}
	if err := writeNew(c.To, file.Bytes()); err != nil {
		return err
	}
	rows := make([]string, len(b.Header.Buckets))
	for i, k := range b.Header.Buckets {
		rows[i] = fmt.Sprintf("%s\t%d\t%d", k.Name, k.Documents, k.Revision)
	}
	if err := c.admin().print(b.Header, "BUCKET\tDOCUMENTS\tREVISION", rows); err != nil || c.JSON {
		return err
	}
	_, err = fmt.Printf("\n%s has %d bytes. Its secrets are sealed under root key %s, which is not in it: keep that key elsewhere.\n", c.To, file.Len(), b.Header.Root)
	return err
}

// writeNew makes a file that only its owner reads, durable when it returns.
func writeNew(path string, body []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// restoreCmd brings the control plane of a running server to a backup's state.
type restoreCmd struct {
	ringFlags
	From    string `name:"from" required:"" placeholder:"FILE" help:"Backup to restore. - is standard input."`
	Force   bool   `name:"force" help:"Replace a control plane that is not empty. What the backup does not have is removed."`
	Reserve uint32 `name:"reserve-numbers" default:"${reserve_numbers}" help:"Tenant numbers to skip. A tenant that was made after the backup may have left a database, which the next tenant must not be given."`
}

// Run restores a backup.
func (c *restoreCmd) Run(ctx context.Context) error {
	b, err := readBackup(c.From)
	if err != nil {
		return fmt.Errorf("%s: %w", c.From, err)
	}
	return c.withRing(ctx, func(r *seal.Ring) error { return c.restore(ctx, r, b) })
}

func (c *restoreCmd) restore(ctx context.Context, r *seal.Ring, b *backup.Backup) error {
	report, err := backup.Restore(ctx, b, backup.RestoreOptions{
		JS: r.JetStream(), Replicas: c.NATSReplicas, Root: r.Root(), Force: c.Force, Reserve: c.Reserve,
	})
	if err != nil {
		return err
	}
	rows := make([]string, len(report.Buckets))
	for i, k := range report.Buckets {
		rows[i] = fmt.Sprintf("%s\t%d\t%d\t%d", k.Bucket, k.Written, k.Unchanged, k.Removed)
	}
	if err := c.admin().print(report, "BUCKET\tWRITTEN\tUNCHANGED\tREMOVED", rows); err != nil || c.JSON {
		return err
	}
	_, err = fmt.Printf("\nThe control plane is as it was at %s. %d sessions ended; the next tenant gets number %d. Restart the alerting processes: they read "+
		"silences when they start.\n", report.Created.Format(time.RFC3339), report.SessionsEnded, report.LastNumber+1)
	return err
}

func readBackup(path string) (*backup.Backup, error) {
	var in io.Reader = os.Stdin
	if path != stdio {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	return backup.Read(in)
}
