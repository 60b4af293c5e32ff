package hec

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Reply is one of the collector's answers (Splunk Enterprise, "Troubleshoot HTTP Event Collector"): status, code and text
// belong together.
type Reply uint8

// The replies. TooLarge and RateLimited have no code of their own in Splunk's documents; senders go by the status.
const (
	Success Reply = iota
	TokenDisabled
	TokenRequired
	InvalidAuthorization
	InvalidToken
	NoData
	InvalidFormat
	InternalError
	Busy
	ChannelMissing
	ChannelInvalid
	EventRequired
	EventBlank
	FieldsInvalid
	QueryTokenRefused
	Healthy
	Unhealthy
	TooLarge
	RateLimited
	replyCount
)

var replies = [replyCount]struct {
	status, code int
	text         string
}{
	Success:              {http.StatusOK, 0, "Success"},
	TokenDisabled:        {http.StatusForbidden, 1, "Token disabled"},
	TokenRequired:        {http.StatusUnauthorized, 2, "Token is required"},
	InvalidAuthorization: {http.StatusUnauthorized, 3, "Invalid authorization"},
	InvalidToken:         {http.StatusForbidden, 4, "Invalid token"},
	NoData:               {http.StatusBadRequest, 5, "No data"},
	InvalidFormat:        {http.StatusBadRequest, 6, "Invalid data format"},
	InternalError:        {http.StatusInternalServerError, 8, "Internal server error"},
	Busy:                 {http.StatusServiceUnavailable, 9, "Server is busy"},
	ChannelMissing:       {http.StatusBadRequest, 10, "Data channel is missing"},
	ChannelInvalid:       {http.StatusBadRequest, 11, "Invalid data channel"},
	EventRequired:        {http.StatusBadRequest, 12, "Event field is required"},
	EventBlank:           {http.StatusBadRequest, 13, "Event field cannot be blank"},
	FieldsInvalid:        {http.StatusBadRequest, 15, "Error in handling indexed fields"},
	QueryTokenRefused:    {http.StatusBadRequest, 16, "Query string authorization is not enabled"},
	Healthy:              {http.StatusOK, 17, "HEC is healthy"},
	Unhealthy:            {http.StatusServiceUnavailable, 18, "HEC is unhealthy, queues are full"},
	TooLarge:             {http.StatusRequestEntityTooLarge, 6, "Request entity too large"},
	RateLimited:          {http.StatusTooManyRequests, 9, "Server is busy"},
}

// Status returns the HTTP status that goes with the reply.
func (r Reply) Status() int { return replies[r].status }

// Code returns Splunk's code.
func (r Reply) Code() int { return replies[r].code }

// Text returns Splunk's text, which some senders compare.
func (r Reply) Text() string { return replies[r].text }

// Append appends the reply's body, {"text":...,"code":...}.
func (r Reply) Append(dst []byte) []byte { return append(r.appendOpen(dst), '}') }

func (r Reply) appendOpen(dst []byte) []byte {
	dst = record.AppendQuoted(append(dst, `{"text":`...), r.Text())
	return strconv.AppendInt(append(dst, `,"code":`...), int64(r.Code()), 10)
}

// NoAck stands for an acknowledgement id where the request named no channel.
const NoAck = -1

// Answer returns the status and appends the body for events whose good part is stored: 200 when nothing was refused, with
// ackId unless it is NoAck; else the outcome's reply with the number of the first invalid event. What ingest refused after
// the decoder, such as times out of the window, is an invalid format without a number. "detail" is ours and says what was
// refused and why.
func Answer(dst []byte, o Outcome, b *seamark.Batch, ackID int64) (status int, body []byte) {
	if o.Reply == Success && b.Rejected.Rows() == 0 {
		dst = Success.appendOpen(dst)
		if ackID != NoAck {
			dst = strconv.AppendInt(append(dst, `,"ackId":`...), ackID, 10)
		}
		return Success.Status(), append(dst, '}')
	}
	reply := o.Reply
	if reply == Success {
		reply = InvalidFormat
	}
	dst = reply.appendOpen(dst)
	if o.Reply != Success && o.Reply != NoData {
		dst = strconv.AppendInt(append(dst, `,"invalid-event-number":`...), int64(o.Event), 10)
	}
	if b.Rejected.Rows() > 0 {
		dst = record.AppendQuoted(append(dst, `,"detail":`...), detail(b))
	}
	return reply.Status(), append(dst, '}')
}

func detail(b *seamark.Batch) string {
	text := fmt.Sprintf("%d rows were refused, %d are stored.", b.Rejected.Rows(), b.Rows())
	for _, r := range b.Rejected.Reasons {
		text += fmt.Sprintf(" %s x%d: %s", r.Reason, r.Count, r.Detail)
	}
	return text
}

// AckIDs hands out the ids under which a sender with a channel asks whether its events are stored. It is safe for
// concurrent use; make one with NewAckIDs.
type AckIDs struct{ last atomic.Int64 }

// NewAckIDs makes the source of ids of one process. It begins at the microseconds since 1970, so that a restarted process
// does not give out ids again that a sender may still ask for; a double holds them exactly.
func NewAckIDs(now time.Time) *AckIDs {
	a := new(AckIDs)
	a.last.Store(now.UnixMicro())
	return a
}

// Next returns an id that was not given out before.
func (a *AckIDs) Next() int64 { return a.last.Add(1) }

// maxAcks bounds the ids of one question. Splunk's own senders ask for some dozens at once.
const maxAcks = 100_000

// AppendAcks answers a body of /services/collector/ack, {"acks":[0,1]}, with {"acks":{"0":true,"1":true}}. Every id is
// acknowledged: a sender has an id from a success, and we answer with success only when the events are stored for good.
// The error is a *seamark.Error: Invalid seamark-hec-format when body is no such question, TooLarge for one of too many
// ids.
func AppendAcks(dst, body []byte) ([]byte, error) {
	dst = append(dst, `{"acks":{`...)
	n := 0
	err := record.Members(body, func(key string, value []byte) error {
		if key != "acks" {
			return nil
		}
		return record.Elements(value, func(id []byte) error {
			number, err := strconv.ParseUint(alias(id), 10, 63)
			if err != nil {
				return seamark.Errorf(seamark.Invalid, formatID, "%.40q is no acknowledgement id.", id)
			}
			if n == maxAcks {
				return seamark.Errorf(seamark.TooLarge, "seamark-hec-acks", "More than %d acknowledgement ids were asked for, the limit. Ask in parts.", maxAcks)
			}
			if n > 0 {
				dst = append(dst, ',')
			}
			n++
			dst = append(strconv.AppendUint(append(dst, '"'), number, 10), `":true`...)
			return nil
		})
	})
	if e, ok := record.Refused(err); ok {
		return nil, seamark.Errorf(seamark.Invalid, formatID, `The body is no question for acknowledgements, {"acks":[0,1]}. %s`, e.Message)
	}
	if err != nil {
		return nil, err
	}
	return append(dst, "}}"...), nil
}
