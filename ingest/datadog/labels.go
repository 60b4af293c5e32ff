package datadog

import (
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// labelSet builds the labels of one series out of Datadog's tags and resources. Its memory is kept from series to series.
type labelSet struct {
	tags  []seamark.Label // in the sender's order, until labels
	fixed []seamark.Label // what is not a tag, and wins over tags of the same name
	over  bool            // there were more than maxTags
}

// maxTags bounds the tags and resources of a series before the catalogue's own limit sees them. Without it a series of a
// million tags costs their square.
const maxTags = 256

func (l *labelSet) reset() { *l = labelSet{tags: l.tags[:0], fixed: l.fixed[:0]} }

// release forgets everything of the request.
func (l *labelSet) release() {
	clear(l.tags[:cap(l.tags)])
	clear(l.fixed[:cap(l.fixed)])
	l.reset()
}

// addTag adds "key:value" under the key's label name.
func (l *labelSet) addTag(tag string) {
	key, value := splitTag(tag)
	l.add(labelName(key), value)
}

// splitTag takes "key:value" apart; a tag without a colon is a flag that is set.
func splitTag(tag string) (key, value string) {
	key, value, ok := strings.Cut(tag, ":")
	if !ok {
		value = "true"
	}
	return key, value
}

// add adds a tag; an empty name or value is nothing.
func (l *labelSet) add(name, value string) {
	switch {
	case name == "" || value == "":
	case len(l.tags) == maxTags:
		l.over = true
	default:
		l.tags = append(l.tags, seamark.Label{Name: name, Value: value})
	}
}

// set sets a label that no tag overrides; an empty value or name is nothing.
func (l *labelSet) set(name, value string) {
	if name == "" || value == "" {
		return
	}
	for i := range l.fixed {
		if l.fixed[i].Name == name {
			l.fixed[i].Value = value
			return
		}
	}
	if len(l.fixed) == maxTags {
		l.over = true
		return
	}
	l.fixed = append(l.fixed, seamark.Label{Name: name, Value: value})
}

// labels returns the finished set, which is valid until reset, or the reason to refuse the series.
func (l *labelSet) labels() ([]seamark.Label, error) {
	if l.over {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-labels-limit",
			"A series has more than %d tags or resources, the limit. Remove tags in the agent.", maxTags)
	}
	placeTags(l.tags)
	l.merge()
	l.tags = append(l.tags, l.fixed...)
	return l.tags, nil
}

// merge sorts the tags, makes one of those with the same name, and drops those that the fixed ones override.
func (l *labelSet) merge() {
	slices.SortFunc(l.tags, func(a, b seamark.Label) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	})
	kept := l.tags[:0]
	for from, to := 0, 0; from < len(l.tags); from = to {
		for to = from + 1; to < len(l.tags) && l.tags[to].Name == l.tags[from].Name; {
			to++
		}
		if !hasName(l.fixed, l.tags[from].Name) {
			kept = append(kept, joined(l.tags[from:to]))
		}
	}
	l.tags = kept
}

// joined makes one label of labels with one name and sorted values. The order of an agent's tags changes from restart to
// restart, so only sorted values keep the series the same.
func joined(same []seamark.Label) seamark.Label {
	first := same[0]
	if len(same) == 1 {
		return first
	}
	var value strings.Builder
	value.WriteString(first.Value)
	for i := 1; i < len(same); i++ {
		if same[i].Value != same[i-1].Value {
			value.WriteByte(';')
			value.WriteString(same[i].Value)
		}
	}
	return seamark.Label{Name: first.Name, Value: value.String()}
}

// placeName returns the shared name of a tag of the agent that says where in Kubernetes its sender runs, else "".
func placeName(tag string) string {
	switch tag {
	case "kube_cluster_name":
		return seamark.ClusterLabel
	case "kube_namespace":
		return "namespace"
	case "pod_name":
		return "pod"
	case "kube_container_name":
		return "container"
	case "kube_node":
		return "node"
	}
	return ""
}

// workloadTag returns the rank of the agent's tag that names a workload, best first, else -1. A pod of a CronJob carries
// its Job too, and the CronJob's name is the one that does not change with each run.
func workloadTag(tag string) int {
	switch tag {
	case "kube_deployment":
		return 0
	case "kube_stateful_set":
		return 1
	case "kube_daemon_set":
		return 2
	case "kube_cronjob":
		return 3
	case "kube_job":
		return 4
	}
	return -1
}

// placeTags gives the agent's tags for places in Kubernetes their shared names where those are free.
func placeTags(tags []seamark.Label) {
	workload, best := -1, 0
	for i := range tags {
		if name := placeName(tags[i].Name); name != "" && !hasName(tags, name) {
			renameAll(tags, tags[i].Name, name)
		} else if rank := workloadTag(tags[i].Name); rank >= 0 && (workload < 0 || rank < best) {
			workload, best = i, rank
		}
	}
	if workload >= 0 && !hasName(tags, "workload") {
		renameAll(tags, tags[workload].Name, "workload")
	}
}

func hasName(labels []seamark.Label, name string) bool {
	return slices.ContainsFunc(labels, func(l seamark.Label) bool { return l.Name == name })
}

func renameAll(labels []seamark.Label, from, to string) {
	for i := range labels {
		if labels[i].Name == from {
			labels[i].Name = to
		}
	}
}

// labelName turns a tag key into a label name. Names that Prometheus keeps for itself get a prefix.
func labelName(key string) string {
	if strings.HasPrefix(key, "__") {
		return "tag" + sanitized(key)
	}
	return sanitized(key)
}

// metricName turns a metric's name into Prometheus' form: "system.cpu.user" becomes "system_cpu_user".
func metricName(name string) string { return sanitized(name) }

// sanitized replaces what is not a letter, a digit or an underscore with an underscore, one for each character, and puts
// an underscore before a leading digit. A name that needs no change comes back as it is.
func sanitized(s string) string {
	i := 0
	for i < len(s) && isNameByte(s[i]) {
		i++
	}
	digit := s != "" && s[0]-'0' < 10
	if i == len(s) && !digit {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 1)
	if digit {
		b.WriteByte('_')
	}
	for _, r := range s {
		if r < 0x80 && isNameByte(byte(r)) {
			b.WriteByte(byte(r))
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

func isNameByte(c byte) bool { return c|0x20-'a' < 26 || c-'0' < 10 || c == '_' }
