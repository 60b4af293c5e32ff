package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/quarantine"
)

const (
	// underWayFile is where the reader notes which queries are under way, for the process after it.
	underWayFile = "under-way.json"
	// notesInterval is how often it does. Queries that are over within it kill nothing that they could be told from others by.
	notesInterval = 250 * time.Millisecond
)

// strikeFallen strikes the queries that were under way when the process before this one fell, and begins notes of its own.
func (a *App) strikeFallen(ctx context.Context) error {
	path := filepath.Join(a.opts.DataDir, underWayFile)
	suspects, err := readNotes(path)
	if err != nil {
		a.log.WarnContext(ctx, "the queries that were under way when the process before this one ended are not known", "err", err)
	}
	if a.opts.Link.Fallen && len(suspects) > 0 {
		a.tellDeath("The process that answers queries ended.", suspects)
	}
	a.background("notes of queries", func(ctx context.Context) error {
		a.noteQueries(ctx, path)
		return nil
	})
	return nil
}

func readNotes(path string) (suspects []quarantine.Suspect, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(text, &suspects)
	return suspects, err
}

// noteQueries keeps the notes until ctx ends. Without them, as on a full disk, queries are answered all the same.
func (a *App) noteQueries(ctx context.Context, path string) {
	tick := time.NewTicker(notesInterval)
	defer tick.Stop()
	note := func(suspects []quarantine.Suspect) {
		if err := writeNotes(path, suspects); err != nil {
			a.log.DebugContext(ctx, "queries are not noted", "err", err)
		}
	}
	for were := -1; ; {
		suspects := underWay(a.admission.ListAll())
		if len(suspects) > 0 || were != 0 {
			note(suspects)
		}
		were = len(suspects)
		select {
		case <-ctx.Done():
			note(nil)
			return
		case <-tick.C:
		}
	}
}

// underWay returns the queries that have run for long enough to be noted.
func underWay(infos []admit.Info) []quarantine.Suspect {
	suspects := []quarantine.Suspect{}
	for i := range infos {
		if q := &infos[i]; q.State == admit.StateRunning && q.Ran >= notesInterval {
			suspects = append(suspects, quarantine.Suspect{Query: quarantineQuery(&q.Request), Ran: q.Ran, Bytes: q.Cost.Bytes})
		}
	}
	return suspects
}

// writeNotes replaces the notes. They outlive this process, not the machine: nothing has to be synced.
func writeNotes(path string, suspects []quarantine.Suspect) error {
	text, err := json.Marshal(suspects)
	if err != nil {
		return fmt.Errorf("note queries: %w", err)
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("note queries: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("note queries: %w", err)
	}
	return nil
}
