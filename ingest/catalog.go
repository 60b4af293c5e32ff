package ingest

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// catalogs keeps one catalogue per cluster.
type catalogs struct {
	limits    func(p seamark.Principal) seamark.Limits
	maxSeries int

	mu   sync.RWMutex // guards list
	list map[clusterKey]*catalog
}

type clusterKey struct {
	tenant  seamark.TenantID
	cluster seamark.ClusterID
}

func newCatalogs(limits func(p seamark.Principal) seamark.Limits, maxSeries int) *catalogs {
	return &catalogs{limits: limits, maxSeries: maxSeries, list: map[clusterKey]*catalog{}}
}

// ScratchCatalog returns a small catalogue that belongs to no cluster, for records that go nowhere.
func ScratchCatalog(limits seamark.Limits) seamark.Catalog {
	return newCatalog("", func() seamark.Limits { return limits }, catalogShards)
}

// of returns the catalogue of a principal's cluster.
func (c *catalogs) of(p seamark.Principal) *catalog {
	key := clusterKey{p.Tenant, p.Cluster}
	c.mu.RLock()
	found := c.list[key]
	c.mu.RUnlock()
	if found != nil {
		return found
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.list[key] == nil {
		p := seamark.Principal{Tenant: p.Tenant, Cluster: p.Cluster, ClusterName: p.ClusterName}
		c.list[key] = newCatalog(p.ClusterName, func() seamark.Limits { return c.limits(p) }, c.maxSeries)
	}
	return c.list[key]
}

// catalogShards spreads the locks: a request looks up thousands of series while others do the same.
const catalogShards = 32

// catalog interns the label sets of one cluster. It implements seamark.Catalog. Each shard keeps two generations: when
// the young one is full it becomes the old one, and what is looked up in the old one moves over, so memory is bounded and
// live series stay without a list to maintain. A series that fell out is made again at its next sample and costs one more
// series row.
type catalog struct {
	cluster string
	limits  func() seamark.Limits // as they are now; asked for new series alone
	perGen  int
	shards  [catalogShards]catalogShard
}

type catalogShard struct {
	mu         sync.RWMutex // guards young and old
	young, old map[uint64]*seamark.Series
}

func newCatalog(cluster string, limits func() seamark.Limits, maxSeries int) *catalog {
	c := &catalog{cluster: cluster, limits: limits, perGen: max(maxSeries/catalogShards/2, 16)}
	for i := range c.shards {
		c.shards[i].young = map[uint64]*seamark.Series{}
	}
	return c
}

func (c *catalog) shard(key uint64) *catalogShard { return &c.shards[(key>>32^key)%catalogShards] }

// Find implements seamark.Catalog.
func (c *catalog) Find(key uint64) *seamark.Series {
	s := c.shard(key)
	s.mu.RLock()
	found := s.young[key]
	if found == nil {
		found = s.old[key]
		s.mu.RUnlock()
		if found != nil {
			c.remember(key, found)
		}
		return found
	}
	s.mu.RUnlock()
	return found
}

func (c *catalog) remember(key uint64, series *seamark.Series) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.young) >= c.perGen {
		s.old, s.young = s.young, make(map[uint64]*seamark.Series, c.perGen/2)
	}
	s.young[key] = series
}

// fingerprintKeys sets the keys under which series are interned by fingerprint apart from the decoders' keys.
const fingerprintKeys = 0x3c6ef372fe94f82b

// Create implements seamark.Catalog.
func (c *catalog) Create(key uint64, kind seamark.SeriesKind, labels []seamark.Label) (*seamark.Series, error) {
	labels, err := c.normalise(kind, labels)
	if err != nil {
		return nil, err
	}
	fp := FingerprintLabels(labels)
	identity := fp ^ fingerprintKeys ^ uint64(kind)<<56
	series := c.Find(identity)
	if series == nil {
		series = newSeries(kind, fp, labels)
		c.remember(identity, series)
	}
	c.remember(key, series)
	return series, nil
}

// FingerprintLabels returns the fingerprint of a sorted label set: xxhash64 over each name and value with separators that
// cannot stand in UTF-8 text. It is part of the stored data and must never change.
func FingerprintLabels(labels []seamark.Label) uint64 {
	h := xxhash.New()
	for _, l := range labels {
		_, _ = h.WriteString(l.Name)
		_, _ = h.Write([]byte{0xff})
		_, _ = h.WriteString(l.Value)
		_, _ = h.Write([]byte{0xfe})
	}
	return h.Sum64()
}

// newSeries copies the labels out of the request they alias.
func newSeries(kind seamark.SeriesKind, fp uint64, labels []seamark.Label) *seamark.Series {
	s := &seamark.Series{Kind: kind, FP: fp, Labels: make([]seamark.Label, len(labels))}
	for i, l := range labels {
		s.Labels[i] = seamark.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)}
	}
	if kind == seamark.MetricSeries {
		s.Name = s.Label(seamark.MetricNameLabel)
	} else {
		s.Name = groupOf(s)
	}
	return s
}

// groupOf returns a stream's group, "namespace/workload": the first part of the log table's sort key, so that the lines
// of one workload lie together and a query for it reads little else.
func groupOf(s *seamark.Series) string {
	return s.Label("namespace") + "/" + s.Label(serviceNameLabel)
}

// serviceNameLabel names what wrote a stream. Grafana's Logs Drilldown starts from it.
const serviceNameLabel = "service_name"

// serviceNameSources are the labels that tell a stream's service where the sender set no service_name, best first.
var serviceNameSources = []string{"service", "app", "app_kubernetes_io_name", "application", "name", "workload", "container", "container_name", "component", "job"}

// normalise checks a label set and brings it to the form that is stored: sorted, without empty values, with the cluster
// and, for streams, the service name.
func (c *catalog) normalise(kind seamark.SeriesKind, labels []seamark.Label) ([]seamark.Label, error) {
	limits := c.limits()
	if len(labels) > limits.MaxLabels {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-label-count",
			"Series %s has %d labels; the limit is %d (--ingest.max-labels).", describe(labels), len(labels), limits.MaxLabels)
	}
	kept := labels[:0]
	for _, l := range labels {
		if err := checkLabel(&limits, kind, l); err != nil {
			return nil, err
		}
		if l.Value != "" && (kind != seamark.MetricSeries || l.Name != replicaLabel) {
			kept = append(kept, l)
		}
	}
	if len(kept) == 0 {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-labels-empty", "A series without labels cannot be stored; send at least one label.")
	}
	kept = c.addIdentity(kind, kept)
	seamark.SortLabels(kept)
	for i := 1; i < len(kept); i++ {
		if kept[i].Name == kept[i-1].Name {
			return nil, seamark.Errorf(seamark.Invalid, "seamark-label-twice", "Series %s has the label %q twice.", describe(kept), clipText(kept[i].Name))
		}
	}
	if kind == seamark.MetricSeries && find(kept, seamark.MetricNameLabel) == "" {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-metric-name", "Series %s has no metric name (label __name__).", describe(kept))
	}
	return kept, nil
}

// replicaLabel tells apart Prometheus servers that scrape the same targets. It is no part of a series: another replica goes on
// with it when the first fails.
const replicaLabel = "__replica__"

func (c *catalog) addIdentity(kind seamark.SeriesKind, labels []seamark.Label) []seamark.Label {
	if c.cluster != "" && find(labels, seamark.ClusterLabel) == "" {
		labels = append(labels, seamark.Label{Name: seamark.ClusterLabel, Value: c.cluster})
	}
	if kind != seamark.LogStream || find(labels, serviceNameLabel) != "" {
		return labels
	}
	service := "unknown_service"
	for _, source := range serviceNameSources {
		if v := find(labels, source); v != "" {
			service = v
			break
		}
	}
	return append(labels, seamark.Label{Name: serviceNameLabel, Value: service})
}

func checkLabel(limits *seamark.Limits, kind seamark.SeriesKind, l seamark.Label) error {
	switch {
	case l.Name == "":
		return seamark.Errorf(seamark.Invalid, "seamark-label-name", "A label with the value %q has an empty name.", clipText(l.Value))
	case len(l.Name) > limits.MaxLabelNameBytes:
		return seamark.Errorf(seamark.Invalid, "seamark-label-name", "Label name %q has %d bytes; the limit is %d (--ingest.max-label-name-bytes).",
			clipText(l.Name), len(l.Name), limits.MaxLabelNameBytes)
	case len(l.Value) > limits.MaxLabelValueBytes:
		return seamark.Errorf(seamark.Invalid, "seamark-label-value", "The value of label %q has %d bytes; the limit is %d (--ingest.max-label-value-bytes).",
			clipText(l.Name), len(l.Value), limits.MaxLabelValueBytes)
	case kind == seamark.LogStream && !isIdentifier(l.Name):
		return seamark.Errorf(seamark.Invalid, "seamark-label-name", "Stream label name %q must match [a-zA-Z_][a-zA-Z0-9_]*.", clipText(l.Name))
	case !utf8.ValidString(l.Name):
		return seamark.Errorf(seamark.Invalid, "seamark-label-name", "Label name %q is not UTF-8.", clipText(l.Name))
	case !utf8.ValidString(l.Value):
		return seamark.Errorf(seamark.Invalid, "seamark-label-value", "The value of label %q is not UTF-8.", clipText(l.Name))
	}
	return nil
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9' {
			continue
		}
		return false
	}
	return s != ""
}

func find(labels []seamark.Label, name string) string {
	for i := range labels {
		if labels[i].Name == name {
			return labels[i].Value
		}
	}
	return ""
}

// describe names a series in a message: its metric name or first labels, cut to a readable length.
func describe(labels []seamark.Label) string {
	var b strings.Builder
	b.WriteString(clipText(find(labels, seamark.MetricNameLabel)))
	b.WriteByte('{')
	for i, l := range labels {
		if i == 3 {
			b.WriteString(", ...")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(clipText(l.Name) + "=" + clipText(l.Value))
	}
	b.WriteByte('}')
	return b.String()
}

// clipText cuts text of a sender for a message, at a rune boundary, and replaces what is not UTF-8.
func clipText(s string) string {
	const most = 48
	if len(s) <= most {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:most], "\uFFFD") + "..."
}
