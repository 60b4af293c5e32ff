package isolation_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// resultVariable names the environment variable with the path that the table is written to, beside the log.
const resultVariable = "SEAMARK_ISOLATION_TABLE"

// cell is one depth beside one noise, and what the victim has seen in it over all rounds.
type cell struct {
	depth depth
	noise noise
	seen  seen
}

// BenchmarkIsolation measures every cell and prints the table. Rounds alternate the cells, so that what else the machine does falls
// on all alike.
func BenchmarkIsolation(b *testing.B) {
	f := chosenForm()
	r := newRig(b, &f)
	cells := r.cells(&f)
	b.ResetTimer()
	for round := range f.rounds {
		for i := range cells {
			at := i
			if round%2 == 1 { // and the order, so that none is always the one after
				at = len(cells) - 1 - i
			}
			r.visit(cells[at], f.stay)
		}
	}
	b.StopTimer()
	text := table(slices.Concat(cells...))
	b.Log("\n" + text)
	if path := os.Getenv(resultVariable); path != "" {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for _, c := range slices.Concat(cells...) {
		if len(c.seen.faults) > 0 {
			b.Logf("%s, %s: %d faults, the first: %v", c.depth.name, c.noise.name, len(c.seen.faults), c.seen.faults[0])
		}
	}
}

// cells returns the cells of each depth.
func (r *rig) cells(f *form) [][]*cell {
	var all [][]*cell
	for _, d := range depths() {
		if len(f.depths) > 0 && !slices.Contains(f.depths, d.name) {
			continue
		}
		var of []*cell
		for _, n := range r.noises() {
			of = append(of, &cell{depth: d, noise: n})
		}
		all = append(all, of)
	}
	return all
}

// visit starts the server with a depth's flags and stays in each of its cells.
func (r *rig) visit(cells []*cell, stay time.Duration) {
	r.start(cells[0].depth.flags)
	defer r.stop()
	r.warm()
	for _, c := range cells {
		if c.noise.language == sql && !r.speaksSQL() {
			continue
		}
		r.stayIn(c, stay)
	}
}

// stayIn lets the noise begin, and then the victim look.
func (r *rig) stayIn(c *cell, stay time.Duration) {
	const headStart = 1500 * time.Millisecond
	noisy, quiet := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	clients.Go(func() { r.rage(noisy, &c.noise, &c.seen) })
	begun := time.NewTimer(headStart)
	<-begun.C
	ctx, cancel := context.WithTimeout(context.Background(), stay)
	r.live(ctx, &c.seen)
	cancel()
	quiet()
	clients.Wait()
	r.settle()
}

// settle waits until nothing of the noise runs any more: the victim is answered at once again.
func (r *rig) settle() {
	for range 100 {
		began := time.Now()
		if err := r.refresh(&panels[0]); err == nil && time.Since(began) < 50*time.Millisecond {
			return
		}
	}
}

// warm has every panel seen once, as dashboards that are open have been.
func (r *rig) warm() {
	for range 3 {
		for i := range panels {
			if err := r.refresh(&panels[i]); err != nil {
				r.b.Fatal(err)
			}
		}
	}
}

func (r *rig) speaksSQL() bool {
	req, err := request(context.Background(), r.server.URL, sql, "SELECT 1")
	if err != nil {
		r.b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.noisy.Query)
	resp, err := r.noise.Do(req)
	if err != nil {
		r.b.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode != http.StatusNotFound
}

// table is the result in Markdown. Growth is against the same depth's cell without noise.
func table(cells []*cell) string {
	var out strings.Builder
	out.WriteString("| beside | depths on | queries | p50 | p99 (95 %) | growth of p99 | acks | p50 | p99 (95 %) | growth of p99 | errors | noisy: answered / refused |\n")
	out.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	alone := map[string]*seen{}
	for _, c := range cells {
		if len(c.noise.queries) == 0 {
			alone[c.depth.name] = &c.seen
		}
	}
	slices.SortStableFunc(cells, func(a, b *cell) int { return order(a.noise.name) - order(b.noise.name) })
	for _, c := range cells {
		s := &c.seen
		if len(s.queries) == 0 {
			continue
		}
		base := alone[c.depth.name]
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %d | %d / %d |\n", c.noise.name, c.depth.name,
			column(s.queries, base.queries), column(s.acks, base.acks), len(s.faults), s.answered, s.refused)
	}
	return out.String()
}

func order(noise string) int {
	return slices.Index([]string{"alone", "four full scans", "30 hostile PromQL", "30 hostile LogQL", "30 hostile SQL"}, noise)
}

func column(took, alone []time.Duration) string {
	low, high := interval(took, 0.99)
	p99 := quantile(took, 0.99)
	return fmt.Sprintf("%d | %s | %s (%s to %s) | %.2fx", len(took), millis(quantile(took, 0.5)), millis(p99), millis(low), millis(high),
		float64(p99)/float64(quantile(alone, 0.99)))
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

// quantile returns the smallest value that this part of all is not above.
func quantile(values []time.Duration, q float64) time.Duration {
	return rank(values, math.Ceil(q*float64(len(values))))
}

// interval returns the values between which the quantile lies with a probability of 95 %, by their ranks.
func interval(values []time.Duration, q float64) (low, high time.Duration) {
	n := float64(len(values))
	spread := 1.96 * math.Sqrt(n*q*(1-q))
	return rank(values, math.Floor(n*q-spread)), rank(values, math.Ceil(n*q+spread))
}

func rank(values []time.Duration, k float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(max(int(k), 1), len(values))-1]
}
