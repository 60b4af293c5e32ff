package isolation_test

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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

// rage has the noisy tenant's clients ask until ctx ends, in a process of their own: other people's clients are on other machines, and
// what they take of this one is not what the server takes.
func (r *rig) rage(ctx context.Context, n *noise, s *seen) {
	if len(n.queries) == 0 {
		return
	}
	orders := orders{URL: r.server.URL, Token: r.noisy.Query, Language: n.language, Queries: n.queries}
	cmd := exec.Command(os.Args[0], crowdRole)
	cmd.Stderr, cmd.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		r.b.Error(err)
		return
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		r.b.Error(err)
		return
	}
	if err := cmd.Start(); err != nil {
		r.b.Error(err)
		return
	}
	_ = syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, crowdNice)
	if err := json.NewEncoder(stdin).Encode(orders); err != nil {
		r.b.Error(err)
	}
	<-ctx.Done()
	_ = stdin.Close()
	var o outcome
	if err := errors.Join(json.NewDecoder(stdout).Decode(&o), cmd.Wait()); err != nil {
		r.b.Error(err)
	}
	s.mu.Lock()
	s.answered, s.refused = s.answered+o.Answered, s.refused+o.Refused
	s.mu.Unlock()
}

// crowdRole is the argument with which this binary is the noisy tenant's clients.
const crowdRole = "isolation-crowd"

// crowdNice is their nice value.
const crowdNice = 19

// orders are what the noisy tenant's clients do.
type orders struct {
	URL, Token, Language string
	Queries              []string
}

// crowd is the noisy tenant's clients.
type crowd struct {
	orders
	client            *http.Client
	answered, refused atomic.Int64
}

// outcome is what became of their requests.
type outcome struct{ Answered, Refused int }

// serveCrowd is the process of the noisy tenant's clients: they ask until standard input ends.
func serveCrowd() error {
	c := &crowd{client: newClient()}
	in := json.NewDecoder(os.Stdin)
	if err := in.Decode(&c.orders); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer stop()
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	c.rage(ctx)
	return json.NewEncoder(os.Stdout).Encode(outcome{int(c.answered.Load()), int(c.refused.Load())})
}

func (c *crowd) rage(ctx context.Context) {
	var clients sync.WaitGroup
	for client, query := range c.Queries {
		clients.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				text := strings.ReplaceAll(query, "RANDOM", fmt.Sprintf("%d%d", client, i))
				refused := c.ask(ctx, text)
				if refused {
					c.refused.Add(1)
				} else {
					c.answered.Add(1)
				}
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
func (c *crowd) ask(ctx context.Context, text string) (refused bool) {
	req, err := request(ctx, c.URL, c.Language, text)
	if err != nil {
		return true
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	resp, err := c.client.Do(req)
	if err != nil {
		return true
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err != nil || resp.StatusCode != http.StatusOK
}

func request(ctx context.Context, url, language, text string) (*http.Request, error) {
	if language == sql {
		body, err := json.Marshal(map[string]string{"query": text})
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v1/sql", strings.NewReader(string(body)))
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
	return http.NewRequestWithContext(ctx, http.MethodGet, rangeQuery(url, language, text, back, step, 5000), http.NoBody)
}
