package events

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// A layout is an event whose sender has given its fields other names and places, as kubernetes-event-exporter's `layout`
// and templates do. Its scalars are found by the end of their path, without case and separators: involvedObject.name,
// involved_object_name and {"object":{"name":…}} are one.
type layout []leaf

// leaf is one scalar of a layout.
type leaf struct {
	path  string // its keys in normal form, joined by dots
	depth int
	value string
	text  bool // it was a string
}

// Layouts are small. Without these limits a deep or wide object would be searched for each field, and one of a whole body
// would take a hundred times its size in memory while it is taken apart.
const (
	maxLayoutBytes  = 256 << 10
	maxLayoutDepth  = 4
	maxLayoutLeaves = 256
)

// The ends of paths by which a field is found, the most telling first.
var (
	reasonKeys    = []string{"reason", "eventreason"}
	messageKeys   = []string{"message", "eventmessage", "msg", "note"}
	typeKeys      = []string{"type", "eventtype", "level", "severity"}
	kindKeys      = []string{"involvedobjectkind", "regardingkind", "objectkind", "resourcekind", "eventkind", "kind"}
	nameKeys      = []string{"involvedobjectname", "regardingname", "objectname", "resourcename", "eventname", "name", "object"}
	namespaceKeys = []string{"involvedobjectnamespace", "regardingnamespace", "objectnamespace", "eventnamespace", "namespace", "ns"}
	componentKeys = []string{"sourcecomponent", "component", "eventsource", "source", "reportingcomponent", "reportingcontroller"}
	hostKeys      = []string{"sourcehost", "host", "hostname", "nodename", "eventnode", "node"}
	countKeys     = []string{"count", "eventcount", "seriescount"}
	firstKeys     = []string{"firsttimestamp", "eventfirsttime", "firstseen", "firsttime", "first"}
	lastKeys      = []string{"lasttimestamp", "eventlasttime", "lastobservedtime", "lastseen", "lasttime", "last"}
	timeKeys      = []string{"eventtime", "creationtimestamp", "createdat", "timestamp", "time"}
	uidKeys       = []string{"eventuid", "uid"}
	versionKeys   = []string{"eventversion", "resourceversion"}
	clusterKeys   = []string{"clustername", "cluster"}
)

// layoutOf takes an object apart. What is not an object, or is too large, has no leaves.
func layoutOf(raw []byte) layout {
	if len(raw) > maxLayoutBytes {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var members map[string]any
	if d.Decode(&members) != nil {
		return nil
	}
	var l layout
	l.add("", members, 1)
	slices.SortFunc(l, func(a, b leaf) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), strings.Compare(a.path, b.path))
	})
	return l
}

func (l *layout) add(prefix string, members map[string]any, depth int) {
	for _, key := range slices.Sorted(maps.Keys(members)) {
		value := members[key]
		if len(*l) >= maxLayoutLeaves {
			return
		}
		path := prefix + "." + normalKey(key)
		switch v := value.(type) {
		case string:
			*l = append(*l, leaf{path, depth, v, true})
		case json.Number:
			*l = append(*l, leaf{path, depth, v.String(), false})
		case map[string]any:
			// Labels and the like have keys of anybody's choice.
			if last := path[strings.LastIndexByte(path, '.')+1:]; depth < maxLayoutDepth && last != "labels" && last != "annotations" {
				l.add(path, v, depth+1)
			}
		}
	}
}

// normalKey brings a key to lower case without separators; dots part it as nesting would.
func normalKey(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == '_' || r == '-' || r == ' ' || r == '@':
			return -1
		}
		return r
	}, key)
}

// find returns the value of the first key that the layout has, "" when it has none. Of two paths with the same end the
// shorter one wins.
func (l layout) find(keys []string) string { return l.findThat(keys, func(leaf) bool { return true }) }

func (l layout) findThat(keys []string, accept func(leaf) bool) string {
	for _, key := range keys {
		for _, leaf := range l {
			if leaf.value != "" && leaf.ends(key) && accept(leaf) {
				return leaf.value
			}
		}
	}
	return ""
}

// ends reports whether the last keys of the path, put together, are key.
func (f leaf) ends(key string) bool {
	path := f.path
	for key != "" {
		at := strings.LastIndexByte(path, '.')
		rest, ok := strings.CutSuffix(key, path[at+1:])
		if !ok || at < 0 {
			return false
		}
		path, key = path[:at], rest
	}
	return true
}

// under reports whether the leaf stands inside a member of that name.
func (f leaf) under(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(f.path, "."+key+".") })
}

// fill completes o with what a layout tells under other names; what o has, it keeps.
func (o *object) fill(l layout) {
	if len(l) == 0 {
		return
	}
	if o.Reason == "" {
		o.Reason = l.findThat(reasonKeys, func(f leaf) bool { return f.text })
	}
	if o.Message == "" && o.Note == "" {
		o.Message = l.find(messageKeys)
	}
	o.Type = l.eventType(o.Type)
	about := o.about()
	// metadata names the event, and kind may say that it is one.
	about.Kind = cmp.Or(about.Kind, l.findThat(kindKeys, func(f leaf) bool { return f.value != "Event" && !f.under("metadata") }))
	about.Name = cmp.Or(about.Name, l.findThat(nameKeys, func(f leaf) bool { return !f.under("metadata", "source", "cluster") }))
	about.Namespace = cmp.Or(about.Namespace, l.find(namespaceKeys))
	o.InvolvedObject = about
	if o.component() == "" {
		o.Source.Component = l.find(componentKeys)
	}
	if o.Source.Host == "" && o.DeprecatedSource.Host == "" && o.ReportingInstance == "" {
		o.Source.Host = l.find(hostKeys)
	}
	if max(o.Count, o.DeprecatedCount, o.Series.Count) == 0 {
		_ = o.Count.UnmarshalJSON([]byte(l.find(countKeys))) // has no error
	}
	if o.Metadata.UID == "" {
		o.Metadata.UID = l.findThat(uidKeys, func(f leaf) bool { return !f.under("involvedobject", "regarding", "object") })
	}
	if o.Metadata.ResourceVersion == "" {
		o.Metadata.ResourceVersion = l.findThat(versionKeys, func(f leaf) bool { return !f.under("involvedobject", "regarding", "object") })
	}
	o.ClusterName = cmp.Or(o.ClusterName, l.find(clusterKeys))
	if o.first().IsZero() {
		o.FirstTimestamp, o.LastTimestamp, o.EventTime = l.time(firstKeys), l.time(lastKeys), l.time(timeKeys)
	}
}

// eventType prefers what is a type of events over what has its name: layouts often say which kind of data they are.
func (l layout) eventType(told string) string {
	valid := func(s string) bool { return strings.EqualFold(s, "Normal") || strings.EqualFold(s, "Warning") }
	if valid(told) {
		return told
	}
	return cmp.Or(l.findThat(typeKeys, func(f leaf) bool { return valid(f.value) }), told, l.find(typeKeys))
}

// time reads a time; one that cannot be read is not told.
func (l layout) time(keys []string) timestamp {
	t, err := parseTime(l.find(keys))
	if err != nil {
		return timestamp{}
	}
	return timestamp(t)
}
