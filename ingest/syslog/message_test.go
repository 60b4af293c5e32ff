package syslog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/syslog"
)

var now = time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)

func at(t *testing.T, text string) int64 {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return v.UnixNano()
}

func parse(t *testing.T, text string, clock syslog.Clock) syslog.Message {
	t.Helper()
	var m syslog.Message
	if !syslog.Parse([]byte(text), clock, &m) {
		t.Fatalf("%q was refused", text)
	}
	if len(m.Params) == 0 {
		m.Params = nil
	}
	return m
}

func TestParseRFC5424(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want syslog.Message
	}{
		"RFC example 1": {"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed for lonvick on /dev/pts/8",
			syslog.Message{Facility: 4, Severity: 2, TimeNano: at(t, "2003-10-11T22:14:15.003Z"), Hostname: "mymachine.example.com", AppName: "su",
				MsgID: "ID47", Body: "'su root' failed for lonvick on /dev/pts/8"}},
		"RFC example 2, an offset and microseconds": {"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
			syslog.Message{Facility: 20, Severity: 5, TimeNano: at(t, "2003-08-24T12:14:15.000003Z"), Hostname: "192.0.2.1", AppName: "myproc",
				ProcID: "8710", Body: "%% It's time to make the do-nuts."}},
		"RFC example 3, structured data": {`<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] An application`,
			syslog.Message{Facility: 20, Severity: 5, TimeNano: at(t, "2003-10-11T22:14:15.003Z"), Hostname: "h", AppName: "evntslog", MsgID: "ID47",
				Params: []syslog.Param{{ID: "exampleSDID@32473", Name: "iut", Value: "3"}, {ID: "exampleSDID@32473", Name: "eventSource", Value: "Application"},
					{ID: "exampleSDID@32473", Name: "eventID", Value: "1011"}}, Body: "An application"}},
		"RFC example 4, structured data alone": {`<165>1 2003-10-11T22:14:15.003Z h e - ID47 [a@1 b="c"][d@1 e="f"]`,
			syslog.Message{Facility: 20, Severity: 5, TimeNano: at(t, "2003-10-11T22:14:15.003Z"), Hostname: "h", AppName: "e", MsgID: "ID47",
				Params: []syslog.Param{{ID: "a@1", Name: "b", Value: "c"}, {ID: "d@1", Name: "e", Value: "f"}}}},
		"all nil": {"<0>1 - - - - - -", syslog.Message{}},
		"an element without parameters": {"<14>1 - - - - - [x@1] hello",
			syslog.Message{Facility: 1, Severity: 6, Body: "hello"}},
		"escapes": {`<14>1 - - - - - [x@1 a="q\" b\\ c\] d\n" b=""] hello`,
			syslog.Message{Facility: 1, Severity: 6, Params: []syslog.Param{{ID: "x@1", Name: "a", Value: `q" b\ c] d\n`}, {ID: "x@1", Name: "b"}}, Body: "hello"}},
		"a token is taken out": {`<14>1 - - app - - [a@1 b="c"][seamark@0 token="smk_x"][d@1 e="f"] hello`,
			syslog.Message{Facility: 1, Severity: 6, AppName: "app", Token: "smk_x", Body: "hello",
				Params: []syslog.Param{{ID: "a@1", Name: "b", Value: "c"}, {ID: "d@1", Name: "e", Value: "f"}}}},
		"malformed structured data is text": {`<14>1 - - app - - [a@1 b=c] hello`,
			syslog.Message{Facility: 1, Severity: 6, AppName: "app", Body: "[a@1 b=c] hello"}},
		"no structured data and no text": {"<14>1 - h app 1 -", syslog.Message{Facility: 1, Severity: 6, Hostname: "h", AppName: "app", ProcID: "1"}},
		"a newline at the end":           {"<14>1 - h app 1 - - hello\r\n", syslog.Message{Facility: 1, Severity: 6, Hostname: "h", AppName: "app", ProcID: "1", Body: "hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.HasPriority = true
			if diff := cmp.Diff(c.want, parse(t, c.text, syslog.Clock{Now: now})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestParseRFC3164(t *testing.T) {
	su := syslog.Message{HasPriority: true, Facility: 4, Severity: 2, TimeNano: at(t, "2026-08-11T22:14:15Z"), Hostname: "mymachine", AppName: "su",
		Body: "'su root' failed for lonvick on /dev/pts/8"}
	with := func(change func(m *syslog.Message)) syslog.Message {
		m := su
		change(&m)
		return m
	}
	for name, c := range map[string]struct {
		text string
		want syslog.Message
	}{
		"RFC example 1": {"<34>Aug 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8", su},
		"RFC example 2, no tag": {"<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!", syslog.Message{HasPriority: true, Facility: 1, Severity: 5,
			TimeNano: at(t, "2026-02-05T17:32:18Z"), Hostname: "10.0.0.99", Body: "Use the BFG!"}},
		"a process": {"<34>Aug 11 22:14:15 mymachine su[42]: 'su root' failed for lonvick on /dev/pts/8", with(func(m *syslog.Message) { m.ProcID = "42" })},
		"no hostname": {"<34>Aug 11 22:14:15 su[42]: 'su root' failed for lonvick on /dev/pts/8",
			with(func(m *syslog.Message) { m.Hostname, m.ProcID = "", "42" })},
		"a year":     {"<34>Aug 11 2026 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8", su},
		"an old one": {"<34>Aug 11 2016 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8", with(func(m *syslog.Message) { m.TimeNano = at(t, "2016-08-11T22:14:15Z") })},
		"a fraction": {"<34>Aug 11 22:14:15.250 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
			with(func(m *syslog.Message) { m.TimeNano = at(t, "2026-08-11T22:14:15.25Z") })},
		"rsyslog's ISO timestamp": {"<34>2026-08-12T00:14:15.123456+02:00 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
			with(func(m *syslog.Message) { m.TimeNano = at(t, "2026-08-11T22:14:15.123456Z") })},
		"Go's log/syslog": {"<34>2026-08-11T22:14:15Z mymachine su[42]: 'su root' failed for lonvick on /dev/pts/8\n", with(func(m *syslog.Message) { m.ProcID = "42" })},
		"a token before the text": {`<34>Aug 11 22:14:15 mymachine su: [seamark@0 token="smk_x"] 'su root' failed for lonvick on /dev/pts/8`,
			with(func(m *syslog.Message) { m.Token = "smk_x" })},
		"Cisco IOS": {"<189>43: router: *Aug 11 22:14:15.123 UTC: %SYS-5-CONFIG_I: Configured from console", syslog.Message{HasPriority: true, Facility: 23,
			Severity: 5, TimeNano: at(t, "2026-08-11T22:14:15.123Z"), Hostname: "router", AppName: "SYS", MsgID: "SYS-5-CONFIG_I", Body: "Configured from console"}},
		"Cisco IOS without an origin": {"<189>43: Aug 11 22:14:15: %LINK-3-UPDOWN: Interface up", syslog.Message{HasPriority: true, Facility: 23,
			Severity: 5, TimeNano: at(t, "2026-08-11T22:14:15Z"), AppName: "LINK", MsgID: "LINK-3-UPDOWN", Body: "Interface up"}},
		"Cisco ASA": {"<166>Aug 11 2026 22:14:15: %ASA-6-302013: Built outbound TCP", syslog.Message{HasPriority: true, Facility: 20,
			Severity: 6, TimeNano: at(t, "2026-08-11T22:14:15Z"), AppName: "ASA", MsgID: "ASA-6-302013", Body: "Built outbound TCP"}},
		"a tag in capitals is no zone": {"<34>Aug 11 22:14:15 CRON: 'su root' failed for lonvick on /dev/pts/8", with(func(m *syslog.Message) { m.Hostname, m.AppName = "", "CRON" })},
		"no time":                      {"<34>su[42]: denied", syslog.Message{HasPriority: true, Facility: 4, Severity: 2, AppName: "su", ProcID: "42", Body: "denied"}},
		"a time that is none":          {"<34>Feb 30 22:14:15 host su: denied", syslog.Message{HasPriority: true, Facility: 4, Severity: 2, Body: "Feb 30 22:14:15 host su: denied"}},
		"text alone":                   {"hello world", syslog.Message{Body: "hello world"}},
		"a URL is no tag":              {"<34>http://example.com/ is down", syslog.Message{HasPriority: true, Facility: 4, Severity: 2, Body: "http://example.com/ is down"}},
		"a priority too large":         {"<192>hello", syslog.Message{Body: "<192>hello"}},
		"a broken header of RFC 5424":  {"<34>1 yesterday host app - - - hello", syslog.Message{HasPriority: true, Facility: 4, Severity: 2, Body: "1 yesterday host app - - - hello"}},
		"a priority alone":             {"<34>", syslog.Message{HasPriority: true, Facility: 4, Severity: 2}},
		"nothing":                      {"", syslog.Message{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, parse(t, c.text, syslog.Clock{Now: now})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestParseMissingYear: the year is the latest that does not put the time into the future.
func TestParseMissingYear(t *testing.T) {
	for _, c := range []struct{ now, stamp, want string }{
		{"2026-01-01T00:00:05Z", "Dec 31 23:59:59", "2025-12-31T23:59:59Z"},
		{"2026-12-31T23:59:58Z", "Jan  1 00:00:01", "2027-01-01T00:00:01Z"},
		{"2026-08-21T12:00:00Z", "Aug 21 12:00:01", "2026-08-21T12:00:01Z"},
		{"2026-08-21T12:00:00Z", "Aug 23 12:00:00", "2025-08-23T12:00:00Z"},
		{"2028-03-01T00:00:00Z", "Feb 29 10:00:00", "2028-02-29T10:00:00Z"},
		{"2029-01-10T00:00:00Z", "Feb 29 10:00:00", "2028-02-29T10:00:00Z"},
	} {
		m := parse(t, "<13>"+c.stamp+" host app: x", syslog.Clock{Now: time.Unix(0, at(t, c.now)).UTC()})
		if got := time.Unix(0, m.TimeNano).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s at %s: got %s, want %s", c.stamp, c.now, got, c.want)
		}
	}
}

func TestParseLocation(t *testing.T) {
	berlin := time.FixedZone("Berlin", 2*3600)
	clock := syslog.Clock{Now: now, Location: berlin}
	for text, want := range map[string]string{
		"<13>Aug 11 22:14:15 host app: x":        "2026-08-11T20:14:15Z",
		"<13>2026-08-11T22:14:15 host app: x":    "2026-08-11T20:14:15Z",
		"<13>2026-08-11T22:14:15Z host app: x":   "2026-08-11T22:14:15Z",
		"<13>1: *Aug 11 22:14:15 UTC: %A-1-B: x": "2026-08-11T22:14:15Z",
	} {
		if got := time.Unix(0, parse(t, text, clock).TimeNano).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestParseSecret: a token that is not recognised as one must not become text that is stored.
func TestParseSecret(t *testing.T) {
	for _, text := range []string{
		`<14>1 - - app - - [seamark@0 token="smk_x" hello`,
		`<14>1 - - app - - [seamark@0 token=smk_x] hello`,
		`<14>1 - - app - - [bad id=x][seamark@0 token="smk_x"] hello`,
		`<14>1 noon - app - - [seamark@0 token="smk_x"] hello`,
		`<14>Aug 11 22:14:15 host app: [seamark@0 token="smk_x`,
		`<14>Aug 11 22:14:15 host app: hello [seamark@0 token="smk_x"]`,
		`[seamark@0 token="smk_x"] [seamark@0 token="smk_y"] hello`,
	} {
		var m syslog.Message
		if syslog.Parse([]byte(text), syslog.Clock{Now: now}, &m) {
			t.Errorf("%q gave the body %q", text, m.Body)
		}
	}
}

// TestParseManyParams: structured data of tiny parameters must not take many times its size.
func TestParseManyParams(t *testing.T) {
	m := parse(t, "<14>1 - - - - - [a"+strings.Repeat(` b=""`, 100_000)+"] hello", syslog.Clock{Now: now})
	if len(m.Params) > 256 || m.Body != "hello" {
		t.Errorf("got %d parameters and the body %q", len(m.Params), m.Body)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed",
		`<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [exampleSDID@32473 iut="3" a="\"\\\]"] An application`,
		"<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "<189>43: router: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: Configured",
		"<30>2026-08-11T22:14:15+02:00 host app[1]: x", `<14>1 - - app - - [seamark@0 token="smk_x"] hello`, "<13>Feb 29 1:1:1", "<0>", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m syslog.Message
		size := len(data)
		if !syslog.Parse(data, syslog.Clock{Now: now}, &m) {
			return
		}
		if strings.Contains(m.Body, "[seamark@0") {
			t.Fatalf("a token's element is left in the body %q", m.Body)
		}
		total := len(m.Hostname) + len(m.AppName) + len(m.ProcID) + len(m.Body)
		for _, p := range m.Params {
			if p.ID == "seamark@0" {
				t.Fatal("a token's element is left in the structured data")
			}
			total += len(p.Name) + len(p.Value)
		}
		if total > size || m.Severity > 7 || m.Facility > 23 || len(m.Params) > 256 {
			t.Fatalf("%d bytes gave %d: %+v", size, total, m)
		}
	})
}
