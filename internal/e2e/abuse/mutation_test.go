package abuse

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/klauspost/compress/snappy"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// mutations is how many damaged payloads each route gets.
func mutations(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SEAMARK_ABUSE_MUTATIONS")
	if text == "" {
		return 2000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("SEAMARK_ABUSE_MUTATIONS=%q is not a number from 1 up", text)
	}
	return n
}

// TestMutations sends valid payloads with random damage: the sender may be told that it is wrong, never that we are.
func TestMutations(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	rnd := testkit.Seed(t)
	n := mutations(t)
	for _, p := range corpus(t) {
		plain := p.body
		if p.encoding == "snappy" {
			var err error
			if plain, err = snappy.Decode(nil, p.body); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		statuses := map[int]int{}
		var wait sync.WaitGroup
		const lanes = 4
		for range lanes {
			rnd := rand.New(rand.NewPCG(rnd.Uint64(), rnd.Uint64()))
			wait.Go(func() {
				for i := range n / lanes {
					body := mutate(rnd, plain)
					if p.encoding == "snappy" {
						if body = snappy.Encode(nil, body); i%8 == 0 {
							body = mutate(rnd, p.body) // damage to the compression itself
						}
					}
					answer, err := g.push(p.route, p.encoding, body)
					if err != nil {
						t.Errorf("%s: no answer to %q: %v", p.name, body, err)
						return
					}
					if answer.Status/100 != 2 && answer.Status/100 != 4 {
						t.Errorf("%s: %d %s to %q", p.name, answer.Status, answer.Body, body)
					}
					mu.Lock()
					statuses[answer.Status]++
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		t.Logf("%-18s %v", p.name, statuses)
		g.alive()
	}
}

// interesting are the bytes that formats give a meaning to.
var interesting = []byte{0x00, 0x01, 0x0a, 0x12, 0x7f, 0x80, 0xff, '"', '{', '}', '[', ']', ',', ':', '\\', '0', '9', '-', '.', 'e'}

// mutate damages a copy of body in one to four places.
func mutate(rnd *rand.Rand, body []byte) []byte {
	out := slices.Clone(body)
	for range 1 + rnd.IntN(4) {
		if len(out) == 0 {
			return out
		}
		at := rnd.IntN(len(out))
		end := min(at+1+rnd.IntN(16), len(out))
		switch rnd.IntN(7) {
		case 0:
			out[at] ^= 1 << rnd.IntN(8)
		case 1:
			out[at] = interesting[rnd.IntN(len(interesting))]
		case 2:
			out = slices.Insert(out, at, interesting[rnd.IntN(len(interesting))])
		case 3:
			out = slices.Delete(out, at, end)
		case 4:
			out = slices.Insert(out, at, slices.Clone(out[at:end])...)
		case 5:
			out = out[:at]
		case 6:
			from := rnd.IntN(len(body))
			out = slices.Insert(out, at, body[from:min(from+1+rnd.IntN(32), len(body))]...)
		}
	}
	return out
}
