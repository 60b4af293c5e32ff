package audit

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/store"
)

const (
	// maxDifferences bounds the differences of one write. Without it an object that is replaced is all of its fields.
	maxDifferences = 200
	// maxShownBytes bounds a value of a difference; longer ones are told by their size.
	maxShownBytes = 4096
)

// Known says what a Change was computed from.
type Known string

// What a change is known from.
const (
	// KnownState: the objects that the API server answered, or that whole-object writes sent; the change is the difference
	// to the write before.
	KnownState Known = "state"
	// KnownFirst: the same, but no earlier state is known to compare with.
	KnownFirst Known = "first"
	// KnownPatch: the record holds a patch, or a subresource's own object, and no state: the differences are what it sets.
	KnownPatch Known = "patch"
	// KnownNothing: the record has no bodies, as its API server's policy says, or the request failed.
	KnownNothing Known = "nothing"
)

// Change is what one write changed.
type Change struct {
	Known       Known
	Differences []Difference
	Truncated   bool // there are more differences than are told
}

// Difference is one place of an object that changed. Before and After are JSON, nil where the place was not there.
type Difference struct {
	Path          string
	Before, After json.RawMessage
}

// record is what of an audit record a change is computed from (audit.k8s.io/v1, type Event).
type record struct {
	RequestObject  any `json:"requestObject"`
	ResponseObject any `json:"responseObject"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// read decodes a record; numbers keep their digits.
func (r *record) read(body string) bool {
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	return d.Decode(r) == nil
}

// wholeSubresources are those whose writes send and answer the whole object; others, such as scale and binding, have objects
// of their own.
var wholeSubresources = []string{"", "status", "ephemeralcontainers", "resize"}

// state returns the whole object after the write. An answer is better than what was sent, which admission can change.
func (r *record) state(verb string) any {
	for _, candidate := range []struct {
		body any
		good bool
	}{{r.ResponseObject, true}, {r.RequestObject, verb == "create" || verb == "update"}} {
		object, ok := candidate.body.(map[string]any)
		if kind := object["kind"]; ok && candidate.good && kind != "Status" && kind != "DeleteOptions" {
			return candidate.body
		}
	}
	return nil
}

// changes compares writes, newest first, each with the nearest one before that tells a state.
func changes(found []store.AuditWrite) []Write {
	list := make([]Write, len(found))
	var before any
	for i := len(found) - 1; i >= 0; i-- {
		list[i] = Write{AuditRecord: found[i].AuditRecord, Change: Change{Known: KnownNothing}}
		var r record
		if !r.read(found[i].Body) || r.ResponseStatus.Code >= 300 {
			continue
		}
		verb, secret := found[i].Field(store.AuditVerb), found[i].Field(store.AuditResource) == "secrets"
		change := &list[i].Change
		switch state := r.state(verb); {
		case !slices.Contains(wholeSubresources, found[i].Field(store.AuditSubresource)):
			if r.RequestObject != nil {
				change.Known = KnownPatch
				change.tellPatch(r.RequestObject, secret)
			}
		case verb == "delete" || verb == "deletecollection":
			change.Known = KnownState
			before = nil
		case state != nil && before == nil:
			change.Known, before = KnownFirst, state
		case state != nil:
			change.Known = KnownState
			change.compare("", before, state, secret)
			before = state
		case verb == "patch" && r.RequestObject != nil:
			change.Known = KnownPatch
			change.tellPatch(r.RequestObject, secret)
		}
	}
	return list
}

// tellPatch tells what a merge patch sets; a JSON patch, which is a list, is told as it stands.
func (c *Change) tellPatch(patch any, secret bool) {
	if _, ok := patch.(map[string]any); ok {
		c.compare("", map[string]any{}, patch, secret)
		return
	}
	c.add("", nil, patch, secret)
}

// unimportant are places that change with every write and tell nothing.
var unimportant = []string{".metadata.managedFields", ".metadata.resourceVersion", ".metadata.generation"}

// compare adds the differences between two values at a place.
func (c *Change) compare(path string, before, after any, secret bool) {
	if slices.Contains(unimportant, path) {
		return
	}
	was, wasObject := before.(map[string]any)
	is, isObject := after.(map[string]any)
	if !wasObject || !isObject {
		c.compareLists(path, before, after, secret)
		return
	}
	names := map[string]struct{}{}
	for name := range was {
		names[name] = struct{}{}
	}
	for name := range is {
		names[name] = struct{}{}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		step := "." + name
		if strings.ContainsAny(name, `.[]"/ `) {
			step = "[" + strconv.Quote(name) + "]"
		}
		c.member(path+step, was, is, name, secret)
	}
}

// member compares one member of two objects.
func (c *Change) member(path string, was, is map[string]any, name string, secret bool) {
	before, had := was[name]
	after, has := is[name]
	if had && has {
		c.compare(path, before, after, secret)
		return
	}
	if slices.Contains(unimportant, path) {
		return
	}
	c.add(path, before, after, secret)
}

// listKeys are the members by which Kubernetes tells the elements of a list apart, such as containers and conditions.
var listKeys = []string{"name", "type", "key", "uid", "containerPort", "ip"}

// compareLists compares values of which one at least is no object: lists of objects by a key that tells their elements
// apart, others as one value.
func (c *Change) compareLists(path string, before, after any, secret bool) {
	was, wasList := before.([]any)
	is, isList := after.([]any)
	if wasList && isList {
		for _, key := range listKeys {
			old, ok1 := byKey(was, key)
			fresh, ok2 := byKey(is, key)
			if !ok1 || !ok2 {
				continue
			}
			names := maps.Clone(old)
			maps.Copy(names, fresh)
			for _, name := range slices.Sorted(maps.Keys(names)) {
				c.member(path+"["+key+"="+name+"]", old, fresh, name, secret)
			}
			return
		}
	}
	if !equal(before, after) {
		c.add(path, before, after, secret)
	}
}

// byKey indexes a list of objects by a member that all have and no two share.
func byKey(list []any, key string) (map[string]any, bool) {
	out := make(map[string]any, len(list))
	for _, element := range list {
		object, ok := element.(map[string]any)
		if !ok {
			return nil, false
		}
		value, ok := object[key]
		if !ok {
			return nil, false
		}
		name, ok := value.(string)
		if !ok {
			name = string(encode(value))
		}
		if _, twice := out[name]; twice {
			return nil, false
		}
		out[name] = element
	}
	return out, true
}

func equal(a, b any) bool { return string(encode(a)) == string(encode(b)) }

func encode(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil { // what was decoded from JSON can be encoded
		return nil
	}
	return text
}

// add tells a difference, unless there are enough.
func (c *Change) add(path string, before, after any, secret bool) {
	if len(c.Differences) == maxDifferences {
		c.Truncated = true
		return
	}
	c.Differences = append(c.Differences, Difference{Path: path, Before: show(path, before, secret), After: show(path, after, secret)})
}

// show returns a value as it may be shown: secrets only by their being there, long ones by their size.
func show(path string, v any, secret bool) json.RawMessage {
	if v == nil {
		return nil
	}
	if secret && !strings.HasPrefix(path, ".metadata.labels") && path != ".type" && path != ".immutable" {
		return json.RawMessage(`"(not shown)"`)
	}
	text := encode(v)
	if len(text) > maxShownBytes {
		return encode("(" + strconv.Itoa(len(text)) + " bytes)")
	}
	return text
}
