package isolation_test

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// hostile holds thirty queries of each language, one a line; lines that begin with # say what those after them are for. "RANDOM"
// stands for a number that is another each time, so that nothing answers from memory.
//
//go:embed testdata/hostile.promql testdata/hostile.logql testdata/hostile.sql
var hostile embed.FS

// noise is what the noisy tenant does.
type noise struct {
	name     string
	language string
	queries  []string // each is asked without end, by a client of its own
}

// refusedPause is how long a client rests after a refusal.
const refusedPause = 50 * time.Millisecond

// scans are four clients that read every line of the tenant without end.
func scans() noise {
	n := noise{"four full scans", logQL, nil}
	for range 4 {
		n.queries = append(n.queries, `sum(count_over_time({namespace=~".+"} |~ "(?i)[a-f]{3}RANDOM[0-9]+.*time(out|d)" [3h]))`)
	}
	return n
}

func (r *rig) noises() []noise {
	list := []noise{{name: "alone"}, scans()}
	for _, l := range []struct{ language, file string }{{promQL, "hostile.promql"}, {logQL, "hostile.logql"}, {sql, "hostile.sql"}} {
		text, err := hostile.ReadFile("testdata/" + l.file)
		if err != nil {
			r.b.Fatal(err)
		}
		n := noise{name: "30 hostile " + l.language, language: l.language}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				n.queries = append(n.queries, line)
			}
		}
		if len(n.queries) != 30 {
			r.b.Fatalf("%s has %d queries, want 30", l.file, len(n.queries))
		}
		list = append(list, n)
	}
	return list
}

// rage has the noisy tenant's clients ask until ctx ends.
func (r *rig) rage(ctx context.Context, n *noise, s *seen) {
	var clients sync.WaitGroup
	for client, query := range n.queries {
		clients.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				text := strings.ReplaceAll(query, "RANDOM", fmt.Sprintf("%d%d", client, i))
				refused := r.ask(ctx, n.language, text)
				s.mu.Lock()
				if refused {
					s.refused++
				} else {
					s.answered++
				}
				s.mu.Unlock()
				if refused {
					select {
					case <-ctx.Done():
					case <-time.After(refusedPause):
					}
				}
			}
		})
	}
	clients.Wait()
}

// ask sends one query of the noisy tenant and reports whether it got another answer than the one it wants.
func (r *rig) ask(ctx context.Context, language, text string) (refused bool) {
	req, err := r.request(ctx, language, text)
	if err != nil {
		r.b.Error(err)
		return true
	}
	req.Header.Set("Authorization", "Bearer "+r.noisy.Query)
	resp, err := r.noise.Do(req)
	if err != nil {
		return true
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err != nil || resp.StatusCode != http.StatusOK
}

func (r *rig) request(ctx context.Context, language, text string) (*http.Request, error) {
	if language == sql {
		body, err := json.Marshal(map[string]string{"query": text})
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.server.URL+"/api/v1/sql", strings.NewReader(string(body)))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
		}
		return req, err
	}
	// A scan is one number, the others are curves of small steps.
	back, step := 2*time.Hour, 15*time.Second
	if strings.HasPrefix(text, "sum(count_over_time({namespace=~\".+\"} |~ \"(?i)[a-f]{3}") {
		back = 0
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, r.rangeQuery(language, text, back, step, 5000), http.NoBody)
}
