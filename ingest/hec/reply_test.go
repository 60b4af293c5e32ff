package hec_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/hec"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestReplies holds the statuses, codes and texts of wire contract 1.5.
func TestReplies(t *testing.T) {
	for reply, want := range map[hec.Reply]string{
		hec.Success:              `200 {"text":"Success","code":0}`,
		hec.TokenDisabled:        `403 {"text":"Token disabled","code":1}`,
		hec.TokenRequired:        `401 {"text":"Token is required","code":2}`,
		hec.InvalidAuthorization: `401 {"text":"Invalid authorization","code":3}`,
		hec.InvalidToken:         `403 {"text":"Invalid token","code":4}`,
		hec.NoData:               `400 {"text":"No data","code":5}`,
		hec.InvalidFormat:        `400 {"text":"Invalid data format","code":6}`,
		hec.InternalError:        `500 {"text":"Internal server error","code":8}`,
		hec.Busy:                 `503 {"text":"Server is busy","code":9}`,
		hec.ChannelMissing:       `400 {"text":"Data channel is missing","code":10}`,
		hec.ChannelInvalid:       `400 {"text":"Invalid data channel","code":11}`,
		hec.EventRequired:        `400 {"text":"Event field is required","code":12}`,
		hec.EventBlank:           `400 {"text":"Event field cannot be blank","code":13}`,
		hec.FieldsInvalid:        `400 {"text":"Error in handling indexed fields","code":15}`,
		hec.QueryTokenRefused:    `400 {"text":"Query string authorization is not enabled","code":16}`,
		hec.Healthy:              `200 {"text":"HEC is healthy","code":17}`,
		hec.Unhealthy:            `503 {"text":"HEC is unhealthy, queues are full","code":18}`,
		hec.TooLarge:             `413 {"text":"Request entity too large","code":6}`,
		hec.RateLimited:          `429 {"text":"Server is busy","code":9}`,
	} {
		if got := fmt.Sprintf("%d %s", reply.Status(), reply.Append(nil)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAnswer(t *testing.T) {
	b := new(seamark.Batch)
	expectAnswer(t, hec.Outcome{}, b, hec.NoAck, `200 {"text":"Success","code":0}`)
	expectAnswer(t, hec.Outcome{}, b, 42, `200 {"text":"Success","code":0,"ackId":42}`)
	expectAnswer(t, hec.Outcome{Reply: hec.NoData}, b, 42, `400 {"text":"No data","code":5}`)
	b.Rejected.Add(seamark.Logs, 1, "seamark-time-window", `A "line" is old.`)
	expectAnswer(t, hec.Outcome{}, b, 42, `400 {"text":"Invalid data format","code":6,"detail":"1 rows were refused, 0 are stored. seamark-time-window x1: A \"line\" is old."}`)
	expectAnswer(t, hec.Outcome{Reply: hec.EventRequired, Event: 3}, b, 42,
		`400 {"text":"Event field is required","code":12,"invalid-event-number":3,"detail":"1 rows were refused, 0 are stored. seamark-time-window x1: A \"line\" is old."}`)
}

func expectAnswer(t *testing.T, o hec.Outcome, b *seamark.Batch, ackID int64, want string) {
	t.Helper()
	status, body := hec.Answer(nil, o, b, ackID)
	if got := fmt.Sprintf("%d %s", status, body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !json.Valid(body) {
		t.Errorf("%s is no JSON", body)
	}
}

func TestAcks(t *testing.T) {
	for body, want := range map[string]string{
		`{"acks":[0]}`:                         `{"acks":{"0":true}}`,
		`{ "acks": [0, 1785000000500001] }`:    `{"acks":{"0":true,"1785000000500001":true}}`,
		`{"acks":[]}`:                          `{"acks":{}}`,
		`{"other":1,"acks":[3],"another":[4]}`: `{"acks":{"3":true}}`,
	} {
		got, err := hec.AppendAcks(nil, []byte(body))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s and %v, want %s", body, got, err, want)
		}
	}
}

func TestAcksRefused(t *testing.T) {
	for name, c := range map[string]struct {
		body         string
		kind         seamark.Kind
		id, contains string
	}{
		"no JSON":    {`acks`, seamark.Invalid, "seamark-hec-format", "an object is expected"},
		"no array":   {`{"acks":1}`, seamark.Invalid, "seamark-hec-format", "an array is expected"},
		"no number":  {`{"acks":["0"]}`, seamark.Invalid, "seamark-hec-format", "no acknowledgement id"},
		"negative":   {`{"acks":[-1]}`, seamark.Invalid, "seamark-hec-format", `"-1"`},
		"fraction":   {`{"acks":[1.5]}`, seamark.Invalid, "seamark-hec-format", `"1.5"`},
		"cut":        {`{"acks":[1`, seamark.Invalid, "seamark-hec-format", "at byte"},
		"very many":  {`{"acks":[0` + strings.Repeat(",1", 100_000) + `]}`, seamark.TooLarge, "seamark-hec-acks", "the limit"},
		"empty body": {``, seamark.Invalid, "seamark-hec-format", "byte 0 of 0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hec.AppendAcks(nil, []byte(c.body))
			expectError(t, err, c.kind, c.id, c.contains)
		})
	}
}

// TestAckIDs has a process that restarts: no id comes twice, and all are exact in a double.
func TestAckIDs(t *testing.T) {
	first := hec.NewAckIDs(now)
	a, b := first.Next(), first.Next()
	c := hec.NewAckIDs(now.Add(time.Second)).Next()
	if a == b || b >= c || int64(float64(c)) != c {
		t.Errorf("ids %d, %d, then %d", a, b, c)
	}
}
