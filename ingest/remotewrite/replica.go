package remotewrite

import (
	"strings"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// PeekReplica returns the labels cluster and __replica__ of the request's first series, by which the senders of a highly
// available pair are told apart: all series of a request have the same, because they are the sender's external labels. A
// label that is not there, and anything in a malformed body, is "". The results are copies and may be kept.
func PeekReplica(body []byte, v2 bool) (cluster, replica string) {
	number := uint32(requestTimeseries)
	if v2 {
		number = requestTimeseriesV2
	}
	series := firstField(body, number)
	if series == nil {
		return "", ""
	}
	take := func(name, value string) {
		switch name {
		case seamark.ClusterLabel:
			cluster = strings.Clone(value)
		case replicaLabel:
			replica = strings.Clone(value)
		}
	}
	if v2 {
		peekV2(body, series, take)
	} else {
		peekV1(series, take)
	}
	return cluster, replica
}

// firstField returns the first message with the given number; nil when there is none.
func firstField(message []byte, number uint32) []byte {
	var found []byte
	eachField(message, func(field *easyproto.FieldContext) bool {
		if field.FieldNum == number {
			found, _ = field.MessageData()
			return false
		}
		return true
	})
	return found
}

// eachField calls yield for each field until it returns false or the message is malformed.
func eachField(message []byte, yield func(*easyproto.FieldContext) bool) {
	var field easyproto.FieldContext
	for len(message) > 0 {
		var err error
		if message, err = field.NextField(message); err != nil || !yield(&field) {
			return
		}
	}
}

// maxPeekLabels bounds the labels of remote write 1.0 that are looked at. Each takes memory that nobody has asked for, so
// without it a series of millions of empty labels takes many times the body.
const maxPeekLabels = 1024

func peekV1(series []byte, take func(name, value string)) {
	seen := 0
	eachField(series, func(field *easyproto.FieldContext) bool {
		if field.FieldNum != seriesLabels {
			return true
		}
		if seen++; seen > maxPeekLabels {
			return false
		}
		var name, value string
		message, _ := field.MessageData()
		eachField(message, func(part *easyproto.FieldContext) bool {
			switch part.FieldNum {
			case labelName:
				name, _ = part.String()
			case labelValue:
				value, _ = part.String()
			}
			return true
		})
		take(name, value)
		return true
	})
}

// maxPeekBytes bounds the label references that are looked at; hundreds of labels fit.
const maxPeekBytes = 4 << 10

// peekV2 first looks which references the series has, and then for their symbols: most symbols are other series'.
func peekV2(body, series []byte, take func(name, value string)) {
	var list []uint64
	size := 0
	eachField(series, func(field *easyproto.FieldContext) bool {
		if field.FieldNum != seriesLabels {
			return true
		}
		packed, _ := field.MessageData()
		if size += len(packed) + 1; size > maxPeekBytes {
			return false
		}
		list, _ = field.UnpackUint64s(list)
		return true
	})
	texts, next := make(map[uint64]string, len(list)), uint64(0)
	for _, ref := range list {
		texts[ref] = ""
	}
	missing := len(texts)
	eachField(body, func(field *easyproto.FieldContext) bool {
		if field.FieldNum == requestSymbolsV2 {
			if _, wanted := texts[next]; wanted {
				texts[next], _ = field.String()
				missing--
			}
			next++
		}
		return missing > 0
	})
	for i := 0; i+1 < len(list); i += 2 {
		take(texts[list[i]], texts[list[i+1]])
	}
}
