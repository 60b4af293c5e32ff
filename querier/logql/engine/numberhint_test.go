package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
)

// numberLine makes a line in which a number stands under the key status, or seems to.
func numberLine(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	number := pick("200", "404", "500", "503", "-1", "499.5", "5e2", "500.0", "9007199254740993", "9007199254740992", "99999999999999999999", "007", "0x1f4", "null", "true", "nan", "+500")
	value := pick(number, number, number, `"`+number+`"`, ` `+number, number+" ", `{"status":`+number+`}`, `[`+number+`]`, `"\u0035\u0030\u0030"`, `" 500"`, "")
	key := pick("status", "status", "status", `st\u0061tus`, "status ", "http.status", "state", "Status")
	line := fmt.Sprintf("%s{%s\""+key+"\"%s:%s%s}%s", pick("", "", "", " ", "["), pick("", "", `"msg":"a \"status\":200 b",`, `"status":200,`, `"a":{"status":503},`), pick("", "", " "), value,
		pick("", "", `,"status":500`, `,"a":{"b":[1,{"status":1}]}`, `,"msg":"\\"`, ","), pick("", "", "", "]", "x"))
	if r.IntN(12) == 0 {
		return line[:r.IntN(len(line))]
	}
	return line
}

// TestNumberHintsEqualStages counts lines by fields that are numbers, on lines that are JSON objects and such that nearly are, with what
// the server leaves out and without.
func TestNumberHintsEqualStages(t *testing.T) {
	r := testkit.Seed(t)
	batch := &seamark.Batch{}
	ref := batch.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: 5, Name: "ns/a", Labels: []seamark.Label{{Name: "app", Value: "a"}}})
	for i := range 3000 {
		row := seamark.LogRow{Stream: ref, TimeNano: base.UnixNano() + int64(i), Body: numberLine(r)}
		if i >= 2000 && i%50 == 0 {
			row.Attrs = []seamark.Label{{Name: "code", Value: "7"}}
		}
		batch.Logs.Append(&row)
	}
	storage := stored(t, batch)
	pushed := newEngine(t, storage)
	stages, err := logqlengine.New(logqlengine.Options{Storage: storage, NoPushdown: true})
	require.NoError(t, err)
	for range testkit.Rounds(t, 30) {
		operator := []string{">=", ">", "<", "<=", "==", "!="}[r.IntN(6)]
		number := []string{"500", "404", "200.5", "0", "-1", "9007199254740992", "9007199254740993", "1e20", "5e2"}[r.IntN(9)]
		pipeline := strings.NewReplacer("@", "status "+operator+" "+number).Replace([]string{
			` | json | __error__="" | @`, ` | json | @ | __error__=""`, ` | json | @ and __error__=""`, ` | json | @`, ` | json | logfmt | @ | __error__=""`,
			` | json a="status" | @ | __error__=""`, ` | json | label_format status="1" | @ | __error__=""`, ` | json | __error__="" | @ | status < 1000`, ` | json | @ or __error__=""`,
		}[r.IntN(9)])
		p := logqlengine.Params{Query: `sum by (status) (count_over_time({app="a"}` + pipeline + ` | drop __error__, __error_details__ [1h]))`, Start: base.Add(time.Hour / 2), End: base.Add(time.Hour / 2)}
		require.Equal(t, evaluate(t, stages, p), evaluate(t, pushed, p), p.Query)
		p = logqlengine.Params{Query: `{app="a"}` + pipeline, Start: base, End: base.Add(time.Hour), Limit: 5000}
		require.Equal(t, lines(t, stages, p), lines(t, pushed, p), p.Query)
	}
}
