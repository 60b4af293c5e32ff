package record

import (
	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// labelNames are the labels of a stream, by the slots that hold them.
var labelNames = [labelCount]string{
	serviceSlot: "service_name", namespaceSlot: "namespace", workloadSlot: "workload", podSlot: "pod",
	containerSlot: "container", nodeSlot: "node", clusterSlot: seamark.ClusterLabel,
}

// keySpace sets the catalogue keys of this package apart from the decoders' keys of the same bytes. It was drawn at random.
const keySpace = 0x8d41b6e25fa903c7

// unknownService is the name of a service that nothing tells, as OpenTelemetry has it.
const unknownService = "unknown_service"

// stream returns the index of the record's stream in batch, which is made when the batch does not have it yet.
func (b *Builder) stream(cat seamark.Catalog, batch *seamark.Batch) (uint32, error) {
	var values [labelCount]string
	b.identify(&values)
	key := b.key[:0]
	for _, v := range values {
		key = append(append(key, v...), 0xff) // values are UTF-8, which has no 0xff
	}
	for i, l := range b.mapping.Labels {
		if v := b.extra[i]; v != "" {
			key = append(append(append(append(key, l.Label...), 0xff), v...), 0xff)
		}
	}
	b.key = key
	hash := xxhash.Sum64(key) ^ keySpace
	series := cat.Find(hash)
	if series == nil {
		b.labels = b.labels[:0]
		for i, v := range values {
			if v != "" {
				b.labels = append(b.labels, seamark.Label{Name: labelNames[i], Value: v})
			}
		}
		for i, l := range b.mapping.Labels {
			if v := b.extra[i]; v != "" {
				b.labels = append(b.labels, seamark.Label{Name: l.Label, Value: v})
			}
		}
		var err error
		if series, err = cat.Create(hash, seamark.LogStream, b.labels); err != nil {
			return 0, err
		}
	}
	return b.streams.find(series, batch), nil
}

// identify finds the values of the stream's labels.
func (b *Builder) identify(values *[labelCount]string) {
	for i := range values {
		if values[i] = b.slots[i].value; values[i] == "" {
			values[i] = b.defaults[i]
		}
	}
	if c := values[containerSlot]; len(c) > 1 && c[0] == '/' { // Docker's names
		values[containerSlot] = c[1:]
	}
	if b.slots[workloadSlot].entry == nil {
		if w := b.derivedWorkload(values[podSlot]); w != "" {
			values[workloadSlot] = w
		}
	}
	if host := b.slots[hostSlot]; host.entry != nil {
		// Inside a pod the host's name is the pod's: there it says nothing about the node.
		if b.slots[nodeSlot].entry == nil && b.slots[podSlot].entry == nil {
			values[nodeSlot] = host.value
		} else {
			b.addAttr(host.entry.name, host.value)
		}
	}
	if b.slots[serviceSlot].entry == nil {
		values[serviceSlot] = firstOf(values[containerSlot], values[workloadSlot], b.defaults[serviceSlot], unknownService)
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// streamRefs remembers where in a batch each stream stands. It notices by itself that the batch is another one, or was
// emptied, so a Builder cannot write a row under the stream of an earlier request.
type streamRefs struct {
	refs  map[*seamark.Series]uint32
	batch *seamark.Batch
	seen  int             // streams of batch that refs knows
	last  *seamark.Series // rows of one stream mostly follow each other
	ref   uint32
}

func (r *streamRefs) find(series *seamark.Series, batch *seamark.Batch) uint32 {
	streams := batch.Logs.Streams
	if r.batch != batch || r.seen != len(streams) {
		r.learn(batch)
	}
	if r.last == series && int(r.ref) < len(streams) && streams[r.ref] == series {
		return r.ref
	}
	ref, known := r.refs[series]
	if !known || int(ref) >= len(streams) || streams[ref] != series {
		ref = batch.Logs.AddStream(series)
		r.refs[series] = ref
		r.seen = len(batch.Logs.Streams)
	}
	r.last, r.ref = series, ref
	return ref
}

func (r *streamRefs) learn(batch *seamark.Batch) {
	if r.refs == nil {
		r.refs = make(map[*seamark.Series]uint32)
	}
	clear(r.refs)
	for i, s := range batch.Logs.Streams {
		r.refs[s] = uint32(i)
	}
	r.batch, r.seen, r.last = batch, len(batch.Logs.Streams), nil
}

func (r *streamRefs) release() {
	if len(r.refs) > maxScratch {
		r.refs = nil
	}
	clear(r.refs)
	*r = streamRefs{refs: r.refs}
}
