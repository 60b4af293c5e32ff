package abuse

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/klauspost/compress/snappy"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	// mutationLanes are the senders side by side.
	mutationLanes = 4
	// maxMutationGrowth is what tens of thousands of label sets that random damage makes up may add to the resident memory.
	maxMutationGrowth = 384 << 20
)

// mutations is how many damaged payloads are sent over all routes and ports together. The promise is kept with 100,000.
func mutations(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SEAMARK_ABUSE_MUTATIONS")
	if text == "" {
		return 4000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("SEAMARK_ABUSE_MUTATIONS=%q is not a number from 1 up", text)
	}
	return n
}

// TestMutations sends valid payloads and what fuzzing has found, as they are and with random damage, in every encoding: the
// sender may be told that it is wrong, never that we are.
func TestMutations(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	g.warmUp()
	watch := g.watchMemory()
	rnd := testkit.Seed(t)
	list := corpus(t)
	each := (mutations(t) + len(list) - 1) / len(list)
	total := 0
	for _, p := range list {
		statuses := g.mutations(rnd, &p, each)
		for _, n := range statuses {
			total += n
		}
		t.Logf("%-24s %v", p.name, statuses)
		g.alive()
	}
	close(watch.stop)
	<-watch.done
	peak := watch.peak.Load()
	_, after, err := engine.ProcStats(g.Pid())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d payloads; resident memory %d MiB after normal traffic, at most %+d MiB to that, %+d MiB at the end", total, g.warm>>20, (peak-g.warm)>>20, (after-g.warm)>>20)
	if peak-g.warm > maxMutationGrowth {
		t.Errorf("resident memory grew by %d MiB; at most %d is fine", (peak-g.warm)>>20, maxMutationGrowth>>20)
	}
}

// mutations sends n payloads that come from p and counts the answers.
func (g *target) mutations(rnd *rand.Rand, p *payload, n int) map[int]int {
	g.t.Helper()
	seeds := append([][]byte{plain(g.t, p)}, fuzzInputs(g.t, p.fuzz)...)
	var mu sync.Mutex
	statuses := map[int]int{}
	var wait sync.WaitGroup
	for lane := range mutationLanes {
		rnd := rand.New(rand.NewPCG(rnd.Uint64(), rnd.Uint64()))
		wait.Go(func() {
			for i := lane; i < n; i += mutationLanes {
				body, encoding := p.damage(rnd, seeds, i)
				answer, err := g.push(p.route, encoding, body)
				if err != nil {
					g.t.Errorf("%s: no answer to %s %q: %v", p.name, encoding, body, err)
					return
				}
				if class := answer.Status / 100; class != 2 && class != 4 {
					g.t.Errorf("%s: %d %s to %s %q", p.name, answer.Status, answer.Body, encoding, body)
				}
				mu.Lock()
				statuses[answer.Status]++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return statuses
}

// damage returns the payload number i made of the seeds, and its encoding. The seeds are sent first as they are.
func (p *payload) damage(rnd *rand.Rand, seeds [][]byte, i int) (body []byte, encoding string) {
	if i < len(seeds) {
		body = seeds[i]
	} else {
		// The first seed is valid, so most of what damage makes of it goes deep.
		body = seeds[0]
		if rnd.IntN(2) == 0 {
			body = seeds[rnd.IntN(len(seeds))]
		}
		body = mutate(rnd, body)
	}
	encoding = encodings[rnd.IntN(len(encodings))]
	packed := encode(cmp.Or(encoding, p.encoding), body)
	if rnd.IntN(16) == 0 {
		packed = mutate(rnd, packed) // damage to the compression itself
	}
	return packed, encoding
}

// plain returns a payload's body inflated.
func plain(t *testing.T, p *payload) []byte {
	t.Helper()
	if p.encoding != "snappy" {
		return p.body
	}
	body, err := snappy.Decode(nil, p.body)
	return must(t, body, err)
}

// interesting are the bytes that formats give a meaning to.
var interesting = []byte{0x00, 0x01, 0x0a, 0x12, 0x7f, 0x80, 0xff, '"', '{', '}', '[', ']', ',', ':', '\\', '0', '9', '-', '.', 'e', '\n', ' ', '=', '<', '#'}

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

// TestBulkAlwaysAnswers damages single lines of a bulk request: the request itself stays readable, so the answer is 200 with a
// verdict on each item, whatever its neighbours are.
func TestBulkAlwaysAnswers(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	const action, good = `{"create":{}}` + "\n", `{"message":"good"}` + "\n"
	for _, bad := range []string{"", "x", "{", "[]", "7", "null", `{"message":}`, `{"a":{"b":[}`, "\xff\xfe", `{"@timestamp":"soon"}`, `{"message":"` + string(make([]byte, 300_000)) + `"}`} {
		answer, err := g.push(esBulk, "gzip", zip([]byte(action+good+action+bad+"\n"+action+good)))
		if err != nil || answer.Status != http.StatusOK && !(bad == "" && answer.Status == http.StatusBadRequest) {
			t.Errorf("an item %.40q: %+v %v", bad, answer, err)
		}
	}
	g.alive()
}
