package democluster

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/prompb"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

const (
	// tickEvery is the world's smallest step.
	tickEvery = time.Second
	// liveScrape is Prometheus' interval of live data. The history has half of its samples: it is pushed in seconds.
	liveScrape    = 15 * time.Second
	historyScrape = 30 * time.Second
)

// world is the cluster itself: what runs in it and what happens. It moves only when told, draws all chance from one
// source and reads no clock, so equal seeds and times give equal worlds. One goroutine at a time may use it.
type world struct {
	rand    *rand.Rand
	cluster string
	start   time.Time // of the history
	live    time.Time // its end
	at      time.Time // how far the world has come; a whole second

	nodes             []*node
	workloads         []*workload
	edge              []*route
	metrics           registry
	events            eventBook
	audits            auditLog
	incident          incident
	chores            []chore
	timers            []timer
	system            []systemLog
	nextScrape        time.Time
	placed, addresses int

	touched []*logStream // with lines since the last take
	records []sdklog.Record
}

// chore happens again and again.
type chore struct {
	every time.Duration
	next  time.Time
	do    func()
}

// timer happens once.
type timer struct {
	at time.Time
	do func()
}

// harvest is what happened between two calls of take, as the agents would have collected it.
type harvest struct {
	streams   []push.Stream
	records   []sdklog.Record
	samples   []prompb.TimeSeries
	metadata  []prompb.MetricMetadata
	resources []resourcePoints
	events    []exportedEvent
	audits    []auditv1.Event
}

// resourcePoints is what one pod with OpenTelemetry's SDK exports.
type resourcePoints struct {
	points  int
	metrics *metricdata.ResourceMetrics
}

// newWorld makes a world whose history ends at live, a whole second.
func newWorld(o *Options, s *incidentSwitch, live time.Time) *world {
	seed := o.Seed
	if seed == 0 {
		seed = uint64(live.UnixNano())
	}
	history := max(o.Backfill, minHistory).Truncate(historyScrape) // so that a scrape falls on its end
	w := &world{
		rand: rand.New(rand.NewPCG(seed, 0x5ea3a4c)), cluster: o.Cluster, start: live.Add(-history), live: live, at: live.Add(-history),
	}
	w.audits.rand = rand.New(rand.NewPCG(seed, 0xa0d17))
	w.nextScrape = w.at.Add(historyScrape)
	w.incident = newIncident(s, live, o.IncidentEvery)
	w.nodes, w.workloads = newNodes(w), newWorkloads()
	w.edge = newRoutes(w)
	w.metrics.addCluster(w)
	w.populate()
	w.metrics.addDNS(w)
	w.chores, w.system = w.newChores(), systemLogs()
	return w
}

// advance lets the world come to the given time, tick by tick.
func (w *world) advance(to time.Time) {
	for next := w.at.Add(tickEvery); !next.After(to); next = w.at.Add(tickEvery) {
		w.at = next
		w.runTimers()
		for i := range w.chores {
			if c := &w.chores[i]; !w.at.Before(c.next) {
				c.next = w.at.Add(c.every)
				c.do()
			}
		}
		w.incident.tick(w)
		w.serveTick()
		w.logTick()
		w.auditTick()
		if !w.at.Before(w.nextScrape) {
			w.metrics.scrape(w)
			w.nextScrape = w.at.Add(w.scrapeEvery())
		}
	}
}

func (w *world) scrapeEvery() time.Duration {
	if w.at.Before(w.live) {
		return historyScrape
	}
	return liveScrape
}

// after has do happen that much later.
func (w *world) after(d time.Duration, do func()) {
	w.timers = append(w.timers, timer{at: w.at.Add(d), do: do})
}

func (w *world) runTimers() {
	due := w.timers[:0:0]
	kept := w.timers[:0:0]
	for _, t := range w.timers {
		if t.at.After(w.at) {
			kept = append(kept, t)
		} else {
			due = append(due, t)
		}
	}
	w.timers = kept
	for _, t := range due {
		t.do()
	}
}

// take returns what happened since it was called last.
func (w *world) take() harvest {
	h := harvest{streams: w.takeStreams(), records: w.records, events: w.events.take(), audits: w.audits.take()}
	w.records = nil
	w.metrics.take(w, &h)
	return h
}

// volume is the share of log lines that is kept. The history has fewer, growing to all of them at its end, so that
// Prime is done in seconds and no step shows where live data begins.
func (w *world) volume() float64 {
	if !w.at.Before(w.live) {
		return 1
	}
	x := float64(w.at.Sub(w.start)) / float64(w.live.Sub(w.start))
	return 0.1 + 0.9*x*x
}

// kept draws whether a line that is written with the given probability is written.
func (w *world) kept(probability float64) bool { return w.rand.Float64() < probability*w.volume() }

// moment draws a time within the current tick. It is never later than the world's time.
func (w *world) moment() time.Time {
	return w.at.Add(-tickEvery + time.Duration(w.rand.Int64N(int64(tickEvery)-1)) + 1)
}

// poisson draws how often something happens that happens mean times on average; mean is small.
func (w *world) poisson(mean float64) int {
	limit, n := math.Exp(-mean), 0
	for p := w.rand.Float64(); p > limit; p *= w.rand.Float64() {
		n++
	}
	return n
}

// traffic is how busy the cluster is; 1 is usual. It has a slow and a quick wave.
func (w *world) traffic() float64 {
	t := float64(w.at.Unix())
	return 1 + 0.25*math.Sin(2*math.Pi*t/2400) + 0.1*math.Sin(2*math.Pi*t/410)
}
