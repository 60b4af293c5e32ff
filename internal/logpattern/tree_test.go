package logpattern

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// learn returns a tree that has seen lines, and how many each template has at the end.
func learn(t *testing.T, o TreeOptions, lines ...string) *Tree {
	t.Helper()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	tree := NewTree(o)
	for i, line := range lines {
		tree.Learn(line, int64(i))
	}
	return tree
}

// texts returns the templates of a tree.
func (t *Tree) texts() []string {
	var list []string
	for _, sh := range t.shapes {
		for _, p := range sh.list {
			list = append(list, p.pattern.Text)
		}
	}
	slices.Sort(list)
	return list
}

func each(format string, words ...string) []string {
	lines := make([]string, len(words))
	for i, word := range words {
		lines[i] = fmt.Sprintf(format, word)
	}
	return lines
}

var names = []string{"ann", "bob", "carl", "dora", "eve", "fay", "gus", "hal", "ida", "jon"}

func TestTree(t *testing.T) {
	for name, c := range map[string]struct{ lines, want []string }{
		"values are masked":        {[]string{"took 15 ms", "took 2 ms"}, []string{"took <_> ms"}},
		"few words stay":           {[]string{"connection opened", "connection closed"}, []string{"connection closed", "connection opened"}},
		"many words are one value": {each("user %s logged in", names...), []string{"user <_> logged in"}},
		"keys stay":                {each("%s=1", names...), []string{"ann=<_>", "bob=<_>", "carl=<_>", "dora=<_>", "eve=<_>", "fay=<_>", "gus=<_>", "hal=<_>", "ida=<_>", "jon=<_>"}},
		"two values": {
			slices.Concat(each("%s met ann", names...), each("%s met bob", names...), each("zoe met %s", names...)),
			[]string{"<_> met ann", "<_> met bob", "zoe met <_>"},
		},
		"two values, all of them": {
			slices.Concat(each("%s met ann", names...), each("%s met bob", names...), each("%s met carl", names...), each("%s met dora", names...),
				each("%s met eve", names...), each("%s met fay", names...), each("%s met gus", names...), each("%s met hal", names...)),
			[]string{"<_> met <_>"},
		},
		"no word": {[]string{"", "---", "== "}, []string{"---"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, learn(t, DefaultTreeOptions(), c.lines...).texts()); diff != "" {
				t.Errorf("templates (-want +got):\n%s", diff)
			}
		})
	}
}

// TestShapeWithoutPattern wants what all lines of a shape share once several words differ at once.
func TestShapeWithoutPattern(t *testing.T) {
	var lines []string
	for i := range maxShapePatterns + 1 {
		lines = append(lines, fmt.Sprintf("%s loves %s", letters(i), letters(i+500)))
	}
	if diff := cmp.Diff([]string{"<_> loves <_>"}, learn(t, DefaultTreeOptions(), lines...).texts()); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
}

// letters spells a number without digits.
func letters(n int) string {
	return strings.Map(func(r rune) rune { return r - '0' + 'm' }, fmt.Sprint(n))
}

// corpus makes lines of some statements with values of few and of many words.
func corpus(r *rand.Rand, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		user, host := names[r.IntN(len(names))], letters(r.IntN(40))
		switch r.IntN(6) {
		case 0:
			lines[i] = fmt.Sprintf(`level=info msg="user %s logged in" host=%s took=%dms`, user, host, r.IntN(1000))
		case 1:
			lines[i] = fmt.Sprintf(`level=%s msg="lease lost" worker=%s`, []string{"warn", "error"}[r.IntN(2)], host)
		case 2:
			lines[i] = fmt.Sprintf(`{"msg":"request served","path":"/%s","status":%d}`, host, 200+r.IntN(300))
		case 3:
			lines[i] = fmt.Sprintf("I1120 12:00:00.%06d %7d reflector.go:%d] watch of %s closed", r.IntN(1e6), r.IntN(1e5), r.IntN(300), user)
		case 4:
			lines[i] = "connection " + []string{"opened", "closed", "reset"}[r.IntN(3)]
		default:
			lines[i] = fmt.Sprintf("10.0.%d.%d - %s [20/Nov/2026:12:00:00 +0000] GET /%s %d", r.IntN(256), r.IntN(256), user, host, r.IntN(600))
		}
	}
	return lines
}

// TestOrderDoesNotMatter is the promise of Tree: replicas that have seen the same lines in any order have the same templates.
func TestOrderDoesNotMatter(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		lines := corpus(r, 40+r.IntN(2000))
		want := learn(t, DefaultTreeOptions(), lines...).texts()
		r.Shuffle(len(lines), func(i, k int) { lines[i], lines[k] = lines[k], lines[i] })
		if diff := cmp.Diff(want, learn(t, DefaultTreeOptions(), lines...).texts()); diff != "" {
			t.Fatalf("seed %d: other templates in another order (-first +second):\n%s", seed, diff)
		}
	}
}

// TestRestartFolds wants what a fresh tree learns of the same kinds of lines to fold into what an older one knows.
func TestRestartFolds(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 4))
		lines := corpus(r, 4000)
		old := learn(t, DefaultTreeOptions(), lines...).texts()
		fresh := learn(t, DefaultTreeOptions(), lines[:1+r.IntN(300)]...).texts()
		into := Fold(slices.Concat(old, fresh))
		for i := range fresh {
			if into[len(old)+i] >= len(old) {
				t.Fatalf("seed %d: %q folds into none of\n%s", seed, fresh[i], strings.Join(old, "\n"))
			}
		}
	}
}

func TestFold(t *testing.T) {
	templates := []string{
		"user ann logged in", "user <_> logged in", "user <_> logged out", "a b c", "a <_> c", "<_> <_> c", "k=x", "k=<_>", "j=x", Wildcard, `{"k":"a"}`, `{"k":"<_>"}`,
	}
	if diff := cmp.Diff([]int{1, 1, 2, 5, 5, 5, 7, 7, 8, 9, 11, 11}, Fold(templates)); diff != "" {
		t.Errorf("folded (-want +got):\n%s", diff)
	}
}

// TestLinesWithoutPattern wants lines that nobody wrote for machines to count as one, and room for them after a while.
func TestLinesWithoutPattern(t *testing.T) {
	tree := NewTree(TreeOptions{MinVariants: 8, MaxPatterns: 3})
	for _, line := range []string{"one", "two words", "and three words"} {
		tree.Learn(line, 100)
	}
	if got := tree.Learn("now four words here", 101); got.Text != Wildcard || tree.Stats().Overflow != 1 {
		t.Errorf("got %q, %+v", got.Text, tree.Stats())
	}
	tree.Learn("one", 100+keepSeconds)
	got := tree.Learn("now four words here", 100+keepSeconds)
	if got.Text != "now four words here" || tree.Stats().Evicted != 1 || tree.Len() != 3 {
		t.Errorf("got %q, %+v, %d templates", got.Text, tree.Stats(), tree.Len())
	}
	if got := tree.Learn("one", 100+keepSeconds); got.Text != "one" {
		t.Errorf("the template that was seen last is gone: %q", got.Text)
	}
}

// TestBytesComeBack wants a tree that has evicted everything but its last templates to count only them.
func TestBytesComeBack(t *testing.T) {
	tree := NewTree(TreeOptions{MinVariants: 8, MaxPatterns: 1})
	tree.Learn("alpha beta", 0)
	want := tree.Bytes()
	for i := range 200 {
		tree.Learn(strings.Repeat("word ", i%7)+letters(i), int64(i+1)*keepSeconds)
	}
	tree.Learn("alpha beta", 1e6)
	if got := tree.Bytes(); got != want || tree.Len() != 1 {
		t.Errorf("%d bytes in %d templates, want %d in 1", got, tree.Len(), want)
	}
}

func TestTreeOptions(t *testing.T) {
	for _, o := range []TreeOptions{{}, {MinVariants: 1, MaxPatterns: 1}, {MinVariants: 2}} {
		if o.Validate() == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// FuzzLearn wants every line to match the template it gets, and an order of the lines not to matter.
func FuzzLearn(f *testing.F) {
	f.Add("a b 1\na b 2\nb a\nx=1 y=\"z\"\nx=2 y=\"w\"")
	f.Add("{\"a\":1}\n{\"a\":2}\n\xff\xfe 1\n\xff\xfe 2\n= = =\n")
	f.Add("a x\nb x\nc x\na y\nb y\nc y\na z")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(strings.ToValidUTF8(text, "?"), "\n")
		o := TreeOptions{MinVariants: 3, MaxPatterns: 10_000}
		tree := NewTree(o)
		for _, line := range lines {
			p := tree.Learn(line, 0)
			if !matches(p.Text, strings.TrimRight(line, " \t\r\n")) {
				t.Errorf("%q does not match its line %q", p.Text, line)
			}
		}
		for _, sh := range tree.shapes {
			if sh.merged {
				return // how much is merged depends on the order
			}
		}
		slices.Reverse(lines)
		if diff := cmp.Diff(tree.texts(), learn(t, o, lines...).texts()); diff != "" {
			t.Errorf("other templates in another order (-first +second):\n%s", diff)
		}
	})
}

// benchLines are of five formats, about 190 bytes, with the words that vary in real ones.
func benchLines(n int) map[string][]string {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"reconciling", "cache", "updated", "connection", "pool", "worker", "finished", "queue", "message", "retry", "lease", "snapshot"}
	word := func() string { return words[r.IntN(len(words))] }
	lines := map[string][]string{}
	for range n {
		lines["json"] = append(lines["json"], fmt.Sprintf(`{"ts":"2026-11-20T12:00:00.%09dZ","level":"info","msg":"request served","method":"GET","path":"/api/v1/orders","status":%d,"duration_ms":%d,"bytes":%d,"request_id":"%016x","trace_id":"%032x","remote":"10.1.%d.%d"}`,
			r.IntN(1e9), 200+r.IntN(300), r.IntN(900), r.IntN(40000), r.Uint64(), r.Uint64(), r.IntN(256), r.IntN(256)))
		lines["klog"] = append(lines["klog"], fmt.Sprintf(`I1120 12:00:00.%06d %7d reflector.go:%d] "Watch close" reason="too old resource version" type="*v1.Pod" items=%d namespace="kube-system" name="app-%d-%05x" reason="the server has closed the stream"`,
			r.IntN(1e6), r.IntN(1e5), r.IntN(60), r.IntN(500), r.IntN(60), r.IntN(1e6)))
		lines["words"] = append(lines["words"], fmt.Sprintf(`time=2026-11-20T12:00:00.%06dZ level=info msg="%s %s %s" component=%s attempt=%d took=%dms user=%d queue=orders-%d partition=%d trace_id=%032x`,
			r.IntN(1e6), word(), word(), word(), word(), r.IntN(5), r.IntN(3000), r.IntN(10000), r.IntN(8), r.IntN(32), r.Uint64()))
	}
	return lines
}

func BenchmarkLearn(b *testing.B) {
	lines := benchLines(2000)
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		b.Run(name, func(b *testing.B) {
			tree := NewTree(DefaultTreeOptions())
			list, bytes := lines[name], 0
			for _, line := range list {
				bytes += len(line)
				tree.Learn(line, 0)
			}
			b.SetBytes(int64(bytes / len(list)))
			b.ReportAllocs()
			before := cpu(b)
			for i := 0; b.Loop(); i++ {
				tree.Learn(list[i%len(list)], 0)
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkLearnGroup learns the first 2,000 lines of a group that nothing is known of.
func BenchmarkLearnGroup(b *testing.B) {
	lines := benchLines(2000)
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				tree := NewTree(DefaultTreeOptions())
				for _, line := range lines[name] {
					tree.Learn(line, 0)
				}
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/float64(len(lines[name])), "cpu-ns/line")
		})
	}
}

// cpu returns what the process has used of its processors: other work on the machine does not count as much as in the time.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
